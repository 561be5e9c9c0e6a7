//! JSONPaths that people give, bounded in what they can cost. Pure.
//!
//! A path is asked of documents of megabytes. One `..` looks at each value once; a second one, a filter beside it, or `$` within a filter
//! would look at all of them for each, and a pattern is compiled for each. A filter over the rows of a list is what is needed of them.

use serde_json_path::JsonPath;

/// Reads a JSONPath (RFC 9535).
///
/// # Errors
/// A sentence that says what is accepted.
pub fn parse(text: &str) -> Result<JsonPath, String> {
    let path = JsonPath::parse(text)
        .map_err(|error| format!("expected a JSONPath like $.data[*] or $.start: {error}"))?;
    let deep = text.matches("..").count();
    let filters = text.matches('?').count();
    let costly = deep > 1
        || filters > 1
        || (deep > 0 && filters > 0)
        || text.matches('$').count() > 1
        || ["match(", "search("].iter().any(|name| text.contains(name));
    if costly {
        return Err("this JSONPath may take too long: `..` or a filter can stand in it once, not both, and filters cannot use `$`, \
                    `match` and `search`"
            .to_owned());
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read_and_what_they_cost_is_bounded() {
        for good in
            ["$", "$[*]", "$.data[*]", "$..clips[*]", "$.clips[?@.score > 5]", "$['a b'][0]", "$[-1:]"]
        {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "data", "$.", "$..a..b", "$..[?@.a]", "$[?$.a]", "$[?@[?@.a]]", "$[?match(@.a, 'x*')]"]
        {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
