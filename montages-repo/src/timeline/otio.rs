//! The timeline as OpenTimelineIO writes it: JSON of versioned schemas. Pure.
//!
//! A track of pictures and a track of sound with the same clips. Each clip refers to its source as it was written in the job; a
//! dissolve begins where its second clip begins, as in the EDL. What OpenTimelineIO has no place for stands under `stream_montages`.

use serde_json::{Value, json};

use super::{Cut, Timeline};
use contracts::ids::MontageId;

/// Writes the timeline of a montage.
pub fn otio(timeline: &Timeline<'_>, id: MontageId) -> Value {
    let time = |frames: u64| json!({ "OTIO_SCHEMA": "RationalTime.1", "rate": timeline.rate.fps(), "value": frames });
    let clip = |cut: &Cut<'_>| {
        let range = json!({
            "OTIO_SCHEMA": "TimeRange.1", "start_time": time(cut.source), "duration": time(cut.frames),
        });
        let media = json!({
            "OTIO_SCHEMA": "ExternalReference.1", "name": "", "target_url": cut.clip.source, "available_range": null,
            "available_image_bounds": null, "metadata": {},
        });
        json!({
            "OTIO_SCHEMA": "Clip.2", "name": cut.clip.title, "enabled": true, "source_range": range,
            "media_references": { "DEFAULT_MEDIA": media }, "active_media_reference_key": "DEFAULT_MEDIA",
            "effects": [], "markers": [],
            "metadata": { "stream_montages": {
                "streamer": cut.clip.streamer, "score": cut.clip.score, "mode": cut.clip.mode,
                "source_start": cut.clip.source_start,
            } },
        })
    };
    let dissolve = |frames: u64| {
        json!({
            "OTIO_SCHEMA": "Transition.1", "name": "", "transition_type": "SMPTE_Dissolve", "in_offset": time(0),
            "out_offset": time(frames), "metadata": {},
        })
    };
    let children: Vec<Value> = timeline
        .cuts
        .iter()
        .flat_map(|cut| [(cut.dissolve > 0).then(|| dissolve(cut.dissolve)), Some(clip(cut))])
        .flatten()
        .collect();
    let track = |name: &str, kind: &str| {
        json!({
            "OTIO_SCHEMA": "Track.1", "name": name, "kind": kind, "enabled": true, "children": children.clone(),
            "source_range": null, "effects": [], "markers": [], "metadata": {},
        })
    };
    json!({
        "OTIO_SCHEMA": "Timeline.1", "name": timeline.title, "global_start_time": time(timeline.rate.record_start()),
        "tracks": {
            "OTIO_SCHEMA": "Stack.1", "name": "tracks", "enabled": true,
            "children": [track("V", "Video"), track("A", "Audio")],
            "source_range": null, "effects": [], "markers": [], "metadata": {},
        },
        "metadata": { "stream_montages": { "montage": id } },
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::montage;
    use super::*;

    #[test]
    fn both_tracks_have_the_montages_frames() {
        let clips = [("https://media.example/a.mp4", 300, 0), ("b", 150, 30), ("c", 61, 0)];
        let (media, made) = montage("30000/1001", &clips);
        let id = MontageId::generate();
        let written = otio(&Timeline::of("Weekly", &media, &made).unwrap(), id);
        assert_eq!((&written["OTIO_SCHEMA"], &written["name"]), (&json!("Timeline.1"), &json!("Weekly")));
        assert_eq!(written["global_start_time"]["value"], 107_892);
        assert_eq!(written["metadata"]["stream_montages"]["montage"], json!(id));
        assert_eq!(written["tracks"]["OTIO_SCHEMA"], "Stack.1");
        let tracks = written["tracks"]["children"].as_array().unwrap();
        assert_eq!((&tracks[0]["kind"], &tracks[1]["kind"]), (&json!("Video"), &json!("Audio")));
        for track in tracks {
            assert_eq!(track["OTIO_SCHEMA"], "Track.1");
            let children = track["children"].as_array().unwrap();
            let schemas: Vec<_> =
                children.iter().map(|child| child["OTIO_SCHEMA"].as_str().unwrap()).collect();
            assert_eq!(schemas, ["Clip.2", "Clip.2", "Transition.1", "Clip.2"]);
            let frames: u64 =
                children.iter().filter_map(|child| child["source_range"]["duration"]["value"].as_u64()).sum();
            assert_eq!(frames, media.frames);
            // What dissolves is there to be seen: the clip before has these frames behind its end.
            assert_eq!(
                (&children[2]["in_offset"]["value"], &children[2]["out_offset"]["value"]),
                (&json!(0), &json!(30))
            );
            let first = &children[0];
            assert_eq!(first["source_range"]["start_time"]["value"], 1000);
            assert_eq!(first["source_range"]["start_time"]["rate"], 30_000.0 / 1001.0);
            let reference = &first["media_references"]["DEFAULT_MEDIA"];
            assert_eq!(
                (&reference["OTIO_SCHEMA"], &reference["target_url"]),
                (&json!("ExternalReference.1"), &json!("https://media.example/a.mp4"))
            );
            assert_eq!(first["metadata"]["stream_montages"]["streamer"], "hana");
        }
    }
}
