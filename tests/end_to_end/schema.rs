//! Whether a JSON value fits a schema of the API document: as much of JSON Schema as the services' descriptions use.

use serde_json::Value;

/// What does not fit, each with the place.
pub fn mistakes(value: &Value, schema: &Value, document: &Value) -> Vec<String> {
    let mut mistakes = Vec::new();
    check(value, schema, document, "", &mut mistakes);
    mistakes
}

fn check(value: &Value, schema: &Value, document: &Value, at: &str, mistakes: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else { return };
    for (rule, wanted) in rules {
        match rule.as_str() {
            "$ref" => {
                let pointer = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                let target = document.pointer(pointer);
                check(value, target.unwrap_or_else(|| panic!("{wanted} is nowhere")), document, at, mistakes);
            }
            "allOf" => {
                for part in wanted.as_array().unwrap() {
                    check(value, part, document, at, mistakes);
                }
            }
            "oneOf" | "anyOf" => {
                let choices = wanted.as_array().unwrap();
                let fits = |choice: &Value| self::mistakes(value, choice, document).is_empty();
                if !choices.iter().any(fits) {
                    mistakes.push(format!("{at}: {value} is none of the choices"));
                }
            }
            "type" => {
                let names = wanted.as_array().map_or_else(|| vec![wanted], |list| list.iter().collect());
                if !names.iter().any(|name| is_of(value, name.as_str().unwrap())) {
                    mistakes.push(format!("{at}: {value} is not of type {wanted}"));
                }
            }
            "enum" if !wanted.as_array().unwrap().contains(value) => {
                mistakes.push(format!("{at}: {value} is not one of {wanted}"));
            }
            "required" if value.is_object() => {
                for name in wanted.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        mistakes.push(format!("{at}: {name} is missing"));
                    }
                }
            }
            "properties" => {
                for (name, part) in wanted.as_object().unwrap() {
                    if let Some(found) = value.get(name) {
                        check(found, part, document, &format!("{at}/{name}"), mistakes);
                    }
                }
            }
            "additionalProperties" if value.is_object() => {
                let known = rules.get("properties");
                let is_known = |name: &str| known.is_some_and(|known| known.get(name).is_some());
                for (name, found) in value.as_object().unwrap().iter().filter(|(name, _)| !is_known(name)) {
                    if *wanted == Value::Bool(false) {
                        mistakes.push(format!("{at}/{name}: the document does not know it"));
                    }
                    check(found, wanted, document, &format!("{at}/{name}"), mistakes);
                }
            }
            "items" => {
                for (index, found) in value.as_array().into_iter().flatten().enumerate() {
                    check(found, wanted, document, &format!("{at}/{index}"), mistakes);
                }
            }
            _ => {}
        }
    }
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("the document names a type that JSON does not have: {other}"),
    }
}

#[test]
fn what_does_not_fit_is_found() {
    use serde_json::json;
    let document = json!({ "schemas": { "Id": { "type": "string" } } });
    let schema = json!({
        "type": "object", "required": ["id"], "additionalProperties": false,
        "properties": {
            "id": { "$ref": "#/schemas/Id" }, "kind": { "enum": ["a", "b"] }, "size": { "type": ["integer", "null"] },
            "names": { "type": "array", "items": { "oneOf": [{ "type": "null" }, { "$ref": "#/schemas/Id" }] } }
        }
    });
    let good = json!({ "id": "x", "kind": "a", "size": null, "names": [null, "y"] });
    assert_eq!(mistakes(&good, &schema, &document), Vec::<String>::new());
    for (pointer, bad) in
        [("/id", json!(1)), ("/kind", json!("c")), ("/size", json!(1.5)), ("/names/1", json!(2))]
    {
        let mut value = good.clone();
        *value.pointer_mut(pointer).unwrap() = bad;
        let found = mistakes(&value, &schema, &document);
        assert!(found.len() == 1 && found[0].starts_with(pointer), "{pointer}: {found:?}");
    }
    assert_eq!(mistakes(&json!({}), &schema, &document), [": \"id\" is missing"]);
    assert_eq!(
        mistakes(&json!({ "id": "x", "ID": 1 }), &schema, &document),
        ["/ID: the document does not know it"]
    );
    assert_eq!(mistakes(&json!([]), &schema, &document).len(), 1);
}
