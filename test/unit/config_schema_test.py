#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""The schema against the table of documents that config_test.c holds the engine to. Prints TAP.

A row has its payload as JSON ("document"), or as the raw text where a JSON value cannot carry it ("text"). A row marked
"engine_only" breaks a rule that JSON Schema cannot say: there the schema must let it pass, so that the mark stays true.
"""

import json
import pathlib
import sys

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parent.parent / "schema" / "config.schema.json"
TABLE = HERE / "config_documents.json"


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


def accepts(validator, row):
    """True if the row's payload is JSON and fits the schema."""
    try:
        document = json.loads(row["text"]) if "text" in row else row["document"]
    except ValueError:
        return False
    return validator.is_valid(document)


def house_of(rules):
    """A row with so many rules: too long to be written out in the table."""
    action = {"set": "a/b/c", "to": 1}
    return [{"name": f"r{i}", "when": {"above": i}, "then": [action]} for i in range(rules)]


def rows():
    yield from load(TABLE)
    yield {"name": "1024 rules", "valid": True, "document": {"rules": house_of(1024)}}
    yield {"name": "1025 rules", "valid": False, "document": {"rules": house_of(1025)}}


def main():
    schema = load(SCHEMA)
    results = []
    try:
        Draft202012Validator.check_schema(schema)
        results.append((True, "the schema is a schema"))
    except SchemaError as error:
        results.append((False, f"the schema is a schema: {error.message}"))
    validator = Draft202012Validator(schema)
    for row in rows():
        wanted = row["valid"] or row.get("engine_only", False)
        results.append((accepts(validator, row) == wanted, row["name"]))

    print(f"1..{len(results)}")
    for number, (good, name) in enumerate(results, 1):
        print("ok" if good else "not ok", number, "-", name.replace("#", "\\#"))
    return 0 if all(good for good, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
