from typing import Any

from services.core.runtime.openapi import complete


def document(**paths: Any) -> dict[str, Any]:
    return {"paths": {f"/{path.replace('__', '/')}": item for path, item in paths.items()}}


def operation(name: str, **members: Any) -> dict[str, Any]:
    return {"operationId": name, "responses": {"200": {"description": "Well."}}, **members}


def test_every_operation_tells_what_any_request_can_meet() -> None:
    told = document(things={"get": operation("list_things"), "post": operation("create_thing", requestBody={})})
    complete(told, examples={}, conditional=True)
    reading, writing = told["paths"]["/things"]["get"], told["paths"]["/things"]["post"]
    assert {*reading["responses"]} == {"200", "304", "400", "414", "429", "431", "500", "503"}
    assert {*writing["responses"]} == {"200", "400", "408", "413", "414", "422", "429", "431", "500", "503"}
    assert "ETag" in reading["responses"]["200"]["headers"]
    assert "ETag" not in writing["responses"]["200"]["headers"]
    for response in told["components"]["responses"].values():
        assert response["headers"]["X-Request-Id"] == {"$ref": "#/components/headers/RequestId"}
    assert "Retry-After" in told["components"]["responses"]["Unavailable"]["headers"]


def test_what_a_route_says_itself_holds() -> None:
    own = {"503": {"description": "Ours.", "headers": {"Retry-After": {"schema": {"type": "integer"}}}}}
    told = document(things={"get": operation("list_things", responses={"200": {"description": "Well."}, **own})})
    complete(told, examples={"thing": {"size": None}}, conditional=False)
    responses = told["paths"]["/things"]["get"]["responses"]
    assert responses["503"]["description"] == "Ours."
    assert responses["503"]["headers"]["Retry-After"] == {"schema": {"type": "integer"}}
    assert "304" not in responses
    assert told["components"]["examples"] == {"thing": {"value": {"size": None}}}


def test_lists_link_to_what_is_below_them() -> None:
    below = {"get": operation("get_thing"), "delete": operation("delete_thing")}
    told = {"paths": {"/things": {"get": operation("list_things")}, "/things/{thing_id}": below}}
    complete(told, examples={}, conditional=True)
    links = told["paths"]["/things"]["get"]["responses"]["200"]["links"]
    assert links["get_thing"]["parameters"] == {"thing_id": "$response.body#/data/0/id"}
    assert links.keys() == {"get_thing", "delete_thing"}


def test_vocabularies_come_along_where_they_are_referred_to() -> None:
    parameter = {"name": "lang", "in": "query", "schema": {"$ref": "#/components/schemas/Language"}}
    told = document(things={"get": operation("list_things", parameters=[parameter])})
    complete(told, examples={}, conditional=True)
    assert told["components"]["schemas"].keys() == {"Problem", "Language"}
