//! From one page of an address to the next. Pure.

use std::collections::HashSet;

use contracts::import::Paging;
use percent_encoding::percent_decode_str;
use serde_json::Value;
use serde_json_path::JsonPath;
use url::Url;

use super::path;
use crate::source::SourceError;

/// Most pages of one source.
const MOST_PAGES: u64 = 10_000;

/// How an address answers one page after the other.
pub struct Pages {
    next: JsonPath,
    parameter: Option<String>,
}

/// The way through the pages of one reading.
pub struct Way<'a> {
    pages: &'a Pages,
    first: Url,
    /// What led to a page so far.
    taken: HashSet<String>,
    /// The number of the page that was asked for last, from 1.
    pub number: u64,
}

impl Pages {
    /// Parses what a source says.
    ///
    /// # Errors
    /// When its path is none.
    pub fn of(paging: &Paging) -> Result<Self, SourceError> {
        let next = path::parse(&paging.next)
            .map_err(|detail| SourceError::Refused(format!("`next` of the paging: {detail}")))?;
        Ok(Self { next, parameter: paging.parameter.clone() })
    }

    /// The way that begins at an address.
    #[must_use]
    pub fn from(&self, first: Url) -> Way<'_> {
        Way { pages: self, taken: HashSet::from([first.to_string()]), first, number: 1 }
    }
}

impl Way<'_> {
    /// The address of the page after one, if there is one. `answered` is the address that the page came from.
    ///
    /// # Errors
    /// When what leads on is neither text nor a number, leads to another host, leads back, or there are too many pages.
    pub fn next(&mut self, page: &Value, answered: &Url) -> Result<Option<Url>, SourceError> {
        let refused = |reason: String| Err(SourceError::Refused(reason));
        let number = self.number;
        let lead = match self.pages.next.query(page).first() {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) if text.trim().is_empty() => return Ok(None),
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            Some(_) => {
                return refused(format!(
                    "what `next` of the paging finds on page {number} is neither text nor a number: does it lead to the cursor or the \
                     address of the next page?"
                ));
            }
        };
        let (key, url) = match &self.pages.parameter {
            Some(parameter) => {
                let url = with_parameter(&self.first, parameter, &lead);
                (lead, url)
            }
            None => {
                let Ok(url) = answered.join(&lead) else {
                    return refused(format!(
                        "page {number} names a next page by something that is no address"
                    ));
                };
                if url.host_str() != answered.host_str() || url.port() != answered.port() {
                    return refused(format!(
                        "page {number} names a next page on another host, which is not followed: give that address as a source of its own"
                    ));
                }
                (url.to_string(), url)
            }
        };
        if !self.taken.insert(key) {
            return refused(format!(
                "the pages go round in a circle: page {number} leads to one that was read already"
            ));
        }
        if number >= MOST_PAGES {
            return refused(format!("the list has more than {MOST_PAGES} pages: ask for a shorter window"));
        }
        self.number += 1;
        Ok(Some(url))
    }
}

/// An address with one query parameter set; all others stay as they are written.
fn with_parameter(url: &Url, name: &str, value: &str) -> Url {
    let is_it = |pair: &&str| {
        let key = pair.split('=').next().unwrap_or_default().replace('+', " ");
        percent_decode_str(&key).decode_utf8_lossy() == name
    };
    let others = url.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty() && !is_it(pair));
    let ours = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    let query = others.chain([ours.as_str()]).collect::<Vec<_>>().join("&");
    let mut url = url.clone();
    url.set_query(Some(&query));
    url
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn pages(next: &str, parameter: Option<&str>) -> Pages {
        Pages::of(&Paging { next: next.to_owned(), parameter: parameter.map(str::to_owned) }).unwrap()
    }

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn a_cursor_is_set_in_the_first_address() {
        let pages = pages("$.cursor", Some("after"));
        let first = url("https://api.example/list?q=a%20b&after=old&af%74er=older&z=1");
        let mut way = pages.from(first.clone());
        let next = |way: &mut Way<'_>, page: Value| way.next(&page, &first).map(|url| url.map(String::from));
        let expected = "https://api.example/list?q=a%20b&z=1&after=x%2By%3D+%26";
        assert_eq!(next(&mut way, json!({ "cursor": "x+y= &" })), Ok(Some(expected.to_owned())));
        let expected = "https://api.example/list?q=a%20b&z=1&after=7";
        assert_eq!(next(&mut way, json!({ "cursor": 7 })), Ok(Some(expected.to_owned())));
        for last in [json!({}), json!([]), json!({ "cursor": null }), json!({ "cursor": " " })] {
            assert_eq!(next(&mut way, last), Ok(None));
        }
        let again = next(&mut way, json!({ "cursor": "x+y= &" })).unwrap_err();
        assert!(again.to_string().contains("circle") && again.is_permanent(), "{again}");
        assert!(next(&mut way, json!({ "cursor": [1] })).is_err());
    }

    #[test]
    fn an_address_leads_on_at_its_own_host() {
        let pages = pages("$.next", None);
        let mut way = pages.from(url("http://api.example:8080/v1/list"));
        let answered = url("http://api.example:8080/v2/list");
        let mut next =
            |to: &str| way.next(&json!({ "next": to }), &answered).map(|url| url.map(String::from));
        assert_eq!(next("?page=2"), Ok(Some("http://api.example:8080/v2/list?page=2".to_owned())));
        assert_eq!(next("/v1/list?page=3"), Ok(Some("http://api.example:8080/v1/list?page=3".to_owned())));
        for bad in [
            "http://api.example:8080/v1/list",
            "list?page=2",
            "http://other.example:8080/v1/list?page=4",
            "http://api.example/v1/list?page=4",
            "//other.example/list",
            "http://[",
        ] {
            assert!(next(bad).unwrap_err().is_permanent(), "{bad}");
        }
    }

    #[test]
    fn there_is_an_end_to_pages() {
        let pages = pages("$", Some("n"));
        let first = url("https://api.example/");
        let mut way = pages.from(first.clone());
        let mut number = 0;
        let error = loop {
            number += 1;
            if let Err(error) = way.next(&json!(number), &first) {
                break error;
            }
        };
        assert_eq!(number, MOST_PAGES);
        assert!(error.to_string().contains("10000 pages"), "{error}");
    }
}
