// Somebody's program on types of the search service, generated too: `node search_program.js ADDRESS`.

import createClient from "openapi-fetch";
import type { paths } from "./openupr.js";

const [address] = process.argv.slice(2) as [string];
const client = createClient<paths>({ baseUrl: address });

const found = await client.GET("/v1/search", {
  params: { query: { q: "rights", type: "recommendations", facets: ["position", "year"], facet_limit: 5 } },
});
if (!found.data) throw new Error(found.error?.detail);
const looked = await client.GET("/v1/facets/{name}", {
  params: { path: { name: "state_under_review" }, query: { q: "costa", lang: "es" } },
});
if (!looked.data) throw new Error(looked.error?.detail);
const suggested = await client.GET("/v1/suggest", { params: { query: { q: "costam" } } });
if (!suggested.data) throw new Error(suggested.error?.detail);
const asked = String(found.data.hits[0]?.record["id"]);
const alike = await client.GET("/v1/similar/{record_id}", {
  params: { path: { record_id: asked }, query: { scope: "same_state" } },
});
if (!alike.data) throw new Error(alike.error?.detail);
const misspelt = await client.GET("/v1/search", { params: { query: { q: "humann rigths " } } });
if (!misspelt.data) throw new Error(misspelt.error?.detail);
const understood = misspelt.data.interpreted.query;
if (!understood || !("all" in understood)) throw new Error("two words are asked for");
const missing = await client.GET("/v1/similar/{record_id}", { params: { path: { record_id: "XCM-9-9.9" } } });

console.log(
  JSON.stringify({
    total: found.data.total,
    positions: found.data.facets["position"]?.values.reduce((sum, each) => sum + each.count, 0),
    states: looked.data.values.map((each) => each.value),
    filters: suggested.data.suggestions.flatMap((each) => (each.filter ? [each.filter] : [])),
    asked,
    alike: alike.data.id,
    same_state: alike.data.similar.every((each) => each.same_state),
    missing: missing.error?.code,
    read_as: understood.all.flatMap((each) => ("word" in each && each.read_as ? [each.read_as.words[0]?.word] : [])),
  }),
);
