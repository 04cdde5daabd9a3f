"""Prints the table of members in `wire/alpaca/members.rs` from the official OpenAPI text of the Alpaca Device API.

    python testing/alpaca_members.py AlpacaDeviceAPI_v1.yaml

The text is ASCOM's and not part of this repository. Wants PyYAML. The types of a few members, which the text gives
only as a range of values, are told here.
"""

import sys

import yaml

KINDS = {"{device_type}": "COMMON", "camera": "CAMERA", "filterwheel": "FILTER_WHEEL", "focuser": "FOCUSER",
         "telescope": "TELESCOPE"}
SIMPLE = {"integer": "Int", "number": "Double", "boolean": "Bool", "string": "Text", None: "Double"}
PARAMETERS = {"UTCDate": "Date", "Direction": "Int", "SideOfPier": "Int", "TrackingRate": "Int", "Axis": "Int"}
ANSWERS = {"imagearray": "Image", "imagearrayvariant": "Image", "lastexposurestarttime": "Date", "utcdate": "Date",
           "camerastate": "Int", "sensortype": "Int", "alignmentmode": "Int", "equatorialsystem": "Int",
           "sideofpier": "Int", "trackingrate": "Int", "destinationsideofpier": "Int", "trackingrates": "Ints"}
LISTS = {"string": "Texts", "integer": "Ints"}

document = yaml.safe_load(open(sys.argv[1], encoding="utf-8"))


def resolved(node):
    while "$ref" in node:
        path, node = node["$ref"].lstrip("#/").split("/"), document
        for step in path:
            node = node[step]
    return node


def properties(schema):
    """All properties of a schema, those of its parts first."""
    schema = resolved(schema)
    found = {}
    for part in schema.get("allOf", []):
        found.update(properties(part))
    return found | schema.get("properties", {})


def parameters(operation):
    for parameter in map(resolved, operation.get("parameters", [])):
        if parameter["in"] == "query":
            yield parameter["name"], parameter["schema"]
    for content in resolved(operation.get("requestBody", {})).get("content", {}).values():
        yield from properties(content["schema"]).items()


def answer(member, operation):
    if member in ANSWERS:
        return ANSWERS[member]
    schema = resolved(operation["responses"]["200"])["content"]["application/json"]["schema"]
    value = properties(schema).get("Value")
    if value is None:
        return None
    if value.get("type") == "array":
        return LISTS.get(value["items"].get("type"), "Objects")
    return SIMPLE[value.get("type")]


def row(member, verb, operation):
    given = ", ".join(f'("{name}", {PARAMETERS.get(name) or SIMPLE[schema.get("type")]})'
                      for name, schema in parameters(operation) if not name.startswith("Client"))
    if verb == "get":
        return f'    get("{member}", {answer(member, operation)}, &[{given}]),'
    returns = answer(member, operation) if member in ("action", "commandbool", "commandstring") else None
    return f'    ask("{member}", {returns}, &[{given}]),' if returns else f'    put("{member}", &[{given}]),'


for path, name in KINDS.items():
    found = []
    for place, operations in document["paths"].items():
        _, kind, _, member = place.split("/")
        if kind == path:
            found += [(member, verb, row(member, verb, operation)) for verb, operation in operations.items()]
    print(f"const {name}: &[Member] = &[", *(line for *_, line in sorted(found)), "];\n", sep="\n")
