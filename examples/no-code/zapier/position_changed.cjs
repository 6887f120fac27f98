"use strict";
// A trigger for the Zapier Platform: a State answers a recommendation, or answers otherwise than before.
// `UPR_API` is set in the environment of the integration; its authentication adds `Authorization: Bearer upr_…`.

const API = process.env.UPR_API;
const TYPE = "recommendation.position_changed";

const subscribe = async (z, bundle) => {
  const state = bundle.inputData.state;
  const response = await z.request({
    url: `${API}/v1/webhooks/endpoints`,
    method: "POST",
    body: {
      url: bundle.targetUrl,
      event_types: [TYPE],
      filters: state ? { state_under_review: state } : {},
      description: "Zapier",
    },
  });
  return response.data; // Zapier keeps it: `bundle.subscribeData`
};

const unsubscribe = async (z, bundle) => {
  const url = `${API}/v1/webhooks/endpoints/${bundle.subscribeData.id}`;
  const response = await z.request({ url, method: "DELETE" });
  return response.data;
};

const perform = (z, bundle) => [bundle.cleanedRequest.data]; // the event; Zapier tells duplicates by its `id`

const performList = async (z) => {
  const response = await z.request({ url: `${API}/v1/event-types/${TYPE}` });
  return [response.data.sample.data];
};

module.exports = {
  key: "position_changed",
  noun: "Position",
  display: {
    label: "New Answer to a Recommendation",
    description: "Triggers when a State answers a recommendation of the Universal Periodic Review.",
  },
  operation: {
    type: "hook",
    inputFields: [{ key: "state", label: "State under Review", helpText: "Three letters, such as PER. Empty: all." }],
    performSubscribe: subscribe,
    performUnsubscribe: unsubscribe,
    perform,
    performList,
  },
};
