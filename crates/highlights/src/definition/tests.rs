//! Tests of reading imports: what is read back from what is stored, and mistakes with their places.

use contracts::import::{HighlightSource, ListFormat, Selection};
use serde_json::json;

use super::*;

fn with(name: &str, value: Value) -> Value {
    let mut whole =
        json!({"name": "weekly", "source": {"url": "https://lists.example/a.json"}, "template": {}});
    whole[name] = value;
    whole
}

fn mistakes(value: &Value) -> Vec<String> {
    let mut pointers: Vec<String> = decode(value)
        .map_or_else(|errors| errors, |_| Vec::new())
        .into_iter()
        .map(|error| error.pointer)
        .collect();
    pointers.sort();
    pointers
}

fn tables() -> Value {
    json!({"dynamodb": {
        "streamers": {"table": "Streamers"}, "highlights": {"table": "Highlights"}, "video": {"url": "https://v.example/{id}.mp4"},
    }})
}

#[test]
fn every_source_is_read_and_what_is_stored_is_read_to_the_same_again() {
    let sources = [
        json!({"url": "https://lists.example/a.json"}),
        json!({"path": "library:lists/{from}.json"}),
        json!({"object": "lists/a.csv", "format": "csv", "mapping": {"video": "VOD", "at": "when"}, "video": {"path": "library:{id}.mkv"}}),
        json!({"url": "https://api.example/best?from={from}&to={to}", "format": "json", "duration": "30s", "streamer": "hana",
               "mapping": {"rows": "$.data[*]", "video": "$.vod.id", "start": "$.offset"}, "paging": {"next": "$.cursor", "parameter": "after"},
               "video": {"url": "https://v.example/{id}"}}),
        json!({"path": "library:cut.edl", "format": "edl", "frame_rate": "29.97"}),
        json!({"path": "library:cut.otio", "format": "otio"}),
        json!({"path": "library:chapters.txt", "format": "chapters", "video": {"path": "library:show.mp4"}}),
        tables(),
        json!({"twitch": {"channels": ["Hana_plays", "ben"], "cut_from": "recording"}}),
    ];
    for source in sources {
        let mut whole = with("source", source.clone());
        whole["window"] = json!({"last_days": 7});
        let import = decode(&whole).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
        let stored = serde_json::to_value(&import.source).unwrap();
        assert_eq!(
            serde_json::from_value::<HighlightSource>(stored.clone()).unwrap(),
            import.source,
            "{stored}"
        );
        whole["source"] = stored;
        assert_eq!(decode(&whole).unwrap(), import);
    }
}

#[test]
fn what_earlier_releases_stored_is_still_read() {
    for stored in [json!({"url": "https://lists.example/a.json"}), json!({"path": "library:a.json"})] {
        let HighlightSource::Document(document) = serde_json::from_value(stored).unwrap() else { panic!() };
        assert_eq!(document.format, ListFormat::Highlights);
    }
    assert_eq!(serde_json::from_value::<Selection>(json!({})).unwrap(), Selection::default());
}

#[test]
fn usual_names_stand_in_for_what_is_left_out() {
    let mut whole = with("source", tables());
    whole["window"] = json!({"last_days": 1});
    let HighlightSource::Dynamodb { dynamodb } = decode(&whole).unwrap().source else { panic!() };
    assert_eq!(
        (dynamodb.streamers.id.as_str(), dynamodb.highlights.list.as_str()),
        ("ChannelId", "TopHighlights")
    );
    assert_eq!(dynamodb.duration.seconds(), Some(60.0));
}

#[test]
fn every_mistake_of_a_source_has_its_place() {
    let of = |source: Value| mistakes(&with("source", source));
    assert_eq!(of(json!({})), ["/source"]);
    assert_eq!(of(json!({"url": "https://a.example", "path": "a:b"})), ["/source"]);
    assert_eq!(of(json!({"url": "ftp://x"})), ["/source/url"]);
    assert_eq!(of(json!({"url": "https://a.example/{day}"})), ["/source/url"]);
    assert_eq!(of(json!({"path": "library:../x"})), ["/source/path"]);
    assert_eq!(of(json!({"object": "/a"})), ["/source/object"]);
    assert_eq!(of(json!({"url": "https://a.example/{from}"})), ["/window"]);
    assert_eq!(of(json!({"path": "a:b", "format": "xml"})), ["/source/format"]);
    assert_eq!(of(json!({"path": "a:b", "format": "edl"})), ["/source/frame_rate"]);
    assert_eq!(of(json!({"path": "a:b", "format": "edl", "frame_rate": "0"})), ["/source/frame_rate"]);
    assert_eq!(of(json!({"path": "a:b", "format": "chapters"})), ["/source/video"]);
    assert_eq!(
        of(json!({"path": "a:b", "mapping": {"start": "x"}, "paging": {"next": "$.x"}, "frame_rate": "25"})),
        ["/source/frame_rate", "/source/mapping", "/source/paging"]
    );
    assert_eq!(
        of(
            json!({"url": "https://a.example", "format": "json", "mapping": {"rows": "data[*]", "strat": "$.x"}, "paging": {"next": "x"}})
        ),
        ["/source/mapping/rows", "/source/mapping/strat", "/source/paging/next"]
    );
    assert_eq!(
        of(json!({"path": "a:b", "format": "csv", "mapping": {"rows": "$"}})),
        ["/source/mapping/rows"]
    );
    // A row must choose neither the host nor the directory.
    let video = |video: Value| of(json!({"path": "a:b", "format": "csv", "video": video}));
    assert_eq!(video(json!({"url": "https://{id}.example/a"})), ["/source/video/url"]);
    assert_eq!(video(json!({"url": "{id}"})), ["/source/video/url"]);
    assert_eq!(video(json!({"path": "{id}:a"})), ["/source/video/path"]);
    assert_eq!(video(json!({"url": "https://v.example/{video}"})), ["/source/video/url"]);
    assert_eq!(video(json!({})), ["/source/video"]);
    assert_eq!(of(json!({"twitch": {"channels": []}})), ["/source/twitch/channels"]);
    assert_eq!(
        of(json!({"twitch": {"channels": ["a b"], "cut_from": "vod"}})),
        ["/source/twitch/channels", "/source/twitch/cut_from"]
    );
    assert_eq!(
        of(
            json!({"dynamodb": {"streamers": {}, "highlights": {"table": "x", "date_form": "iso"}}, "format": "csv"})
        ),
        [
            "/source/dynamodb/highlights/date_form",
            "/source/dynamodb/streamers/table",
            "/source/dynamodb/video",
            "/source/format"
        ]
    );
    assert_eq!(of(tables()), ["/window"]);
}

#[test]
fn every_mistake_of_a_window_and_of_montages_has_its_place() {
    let window = |window: Value| mistakes(&with("window", window));
    assert_eq!(window(json!({"last_days": 0})), ["/window/last_days"]);
    assert_eq!(window(json!({"from": "2026-11-22"})), ["/window"]);
    assert_eq!(window(json!({"from": "2026-11-22", "to": "2026-11-21"})), ["/window/to"]);
    assert_eq!(window(json!({"from": "2026-11-22", "to": "2027-11-23"})), ["/window/to"]);
    assert_eq!(window(json!({"from": "22.11.2026", "to": 5})), ["/window/from", "/window/to"]);
    assert_eq!(window(json!({"last_days": 3, "from": "2026-11-22", "to": "2026-11-22"})), ["/window"]);
    let montages = |montages: Value| mistakes(&with("montages", montages));
    assert_eq!(montages(json!({})), ["/montages"]);
    let bad = json!([{
        "of": "some", "title": "{who}", "highlight_title": "{from}", "labels": {"A": "x", "b": "{x}"},
        "select": {"top": 0, "order": "best", "budget": "0s", "padding": {"before": "-1s", "around": 1}, "merge": 1, "mix": 1, "minimum_score": "a"},
    }]);
    assert_eq!(
        montages(bad),
        [
            "/montages/0/highlight_title",
            "/montages/0/labels/A",
            "/montages/0/labels/b",
            "/montages/0/of",
            "/montages/0/select/budget",
            "/montages/0/select/merge",
            "/montages/0/select/minimum_score",
            "/montages/0/select/mix",
            "/montages/0/select/order",
            "/montages/0/select/padding/around",
            "/montages/0/select/padding/before",
            "/montages/0/select/top",
            "/montages/0/title"
        ]
    );
    assert_eq!(mistakes(&with("template", json!({"title": "{datum}"}))), ["/template/title"]);
}
