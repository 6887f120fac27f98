// Somebody's program on types that were generated from the OpenAPI document: `node program.js ADDRESS KEY`.

import createClient from "openapi-fetch";
import type { components, paths } from "./openupr.js";

type Recommendations = components["schemas"]["RecommendationList"];
type Recommendation = Recommendations["data"][number];

const [address, key] = process.argv.slice(2) as [string, string];
// The feed comes as a stream, too; this program reads JSON.
const client = createClient<paths, "application/json" | "application/problem+json">({ baseUrl: address });

async function* recommendationsTo(state: components["schemas"]["StateCode"]): AsyncGenerator<Recommendation> {
  let cursor: string | undefined;
  do {
    const { data, error } = await client.GET("/v1/recommendations", {
      params: { query: { state_under_review: [state], limit: 2, ...(cursor ? { cursor } : {}) } },
    });
    if (!data) throw new Error(error?.detail);
    const page = data as Recommendations; // whole rows: no `fields` were asked for
    yield* page.data;
    cursor = page.page.next ? (new URL(page.page.next).searchParams.get("cursor") ?? undefined) : undefined;
  } while (cursor);
}

const ids: string[] = [];
for await (const row of recommendationsTo("XCM")) ids.push(row.id);

const one = await client.GET("/v1/recommendations/{record_id}", {
  params: { path: { record_id: ids[0] ?? "" }, query: { lang: "es" } },
});
const whole = one.data as Recommendation;
const texts = await client.GET("/v1/recommendations", {
  params: { query: { state_under_review: ["XCM"], fields: ["id", "text"], limit: 200 } },
});
const missing = await client.GET("/v1/recommendations/{record_id}", { params: { path: { record_id: "XCM-9-9.9" } } });
const counts = await client.GET("/v1/statistics/recommendations", {
  params: { query: { group_by: ["position"], state_under_review: ["XCM"] } },
});
const counted: Record<string, number> = {};
for (const group of counts.data?.groups ?? []) {
  const value = group.values["position"];
  if (value) counted[value.value] = group.count;
}
const changes = await client.GET("/v1/changes", { params: { query: { after: 0, limit: 1 } } });

const headers = { Authorization: `Bearer ${key}` };
const made = await client.POST("/v1/keys", { headers, body: { name: "made by a client", scopes: ["webhooks:write"] } });
if (!made.data?.key.startsWith("upr_")) throw new Error(made.error?.detail);
await client.DELETE("/v1/keys/{key_id}", { headers, params: { path: { key_id: made.data.id } } });
const keys = await client.GET("/v1/keys", { headers });

console.log(
  JSON.stringify({
    ids,
    position: whole.position,
    state: whole.state_under_review.name,
    texts: texts.data?.data.map((row) => row.text?.length ?? 0),
    counted,
    total: counts.data?.total,
    missing: missing.error?.code,
    first_change: changes.data?.data[0]?.seq,
    keys: keys.data?.data.map((each) => each.status),
  }),
);
