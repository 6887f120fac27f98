"use strict";
// What Zapier does with a trigger: `node zapier.cjs TRIGGER KEY TARGET`. It prints what each step gives.

const { createServer } = require("node:http");
const [, , trigger, key, port] = process.argv;
const { operation } = require(trigger);

const z = {
  request: async ({ url, method = "GET", body }) => {
    const headers = { Authorization: `Bearer ${key}`, "Content-Type": "application/json" };
    const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
    const text = await response.text();
    return { status: response.status, data: text ? JSON.parse(text) : undefined };
  },
};

async function main() {
  let heard;
  const arrived = new Promise((resolve) => (heard = resolve));
  const catching = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => {
      response.writeHead(200).end();
      heard(JSON.parse(text));
    });
  });
  await new Promise((resolve) => catching.listen(Number(port), "127.0.0.1", resolve));
  const bundle = { inputData: { state: "PER" }, targetUrl: `http://127.0.0.1:${port}/catch/` };
  const samples = await operation.performList(z, bundle);
  const subscribeData = await operation.performSubscribe(z, bundle);
  console.log(JSON.stringify({ samples, subscribed: subscribeData }));
  const events = operation.perform(z, { ...bundle, cleanedRequest: await arrived });
  await operation.performUnsubscribe(z, { ...bundle, subscribeData });
  console.log(JSON.stringify({ events }));
  catching.close();
}

main();
