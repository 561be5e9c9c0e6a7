//! Pieces of a montage and the library: what is used again, what is not believed, and what never leaves the machine.

use std::fs;

use contracts::segment::StoreSegments;
use sha2::{Digest as _, Sha256};

use crate::{
    gateway::Event,
    scene::{PICTURE_KEY, SOUND_KEY, Scene, diligent, done, job, plan, planned, report},
};

/// Tells which pieces the worker finds, and makes those that are not there.
const LOOKS: &str = "for key in $PICTURE $SOUND; do
    if [ -e piece-$key ]; then cp piece-$key $OUT/found-$key; else printf 'made' > piece-$key; fi; done";

async fn scene(identity: Option<&str>) -> Scene {
    let looks = format!("PICTURE={PICTURE_KEY}; SOUND={SOUND_KEY}; {LOOKS}");
    let scene = Scene::new(&diligent(&looks)).await;
    let mut made = report(b"the media");
    made.plan = plan(identity);
    scene.message("planned", &planned(plan(identity)));
    scene.message("done", &done(made));
    scene
}

fn kept(events: &[Event]) -> Vec<StoreSegments> {
    let kept = events.iter().filter_map(|event| match event {
        Event::Kept(request) => Some(request.clone()),
        _ => None,
    });
    kept.collect()
}

fn tally(events: &[Event]) -> (u32, u32, Vec<String>) {
    let published = events.iter().find_map(|event| match event {
        Event::Published(request) => Some(&request.provenance),
        _ => None,
    });
    let provenance = published.unwrap();
    (provenance.segments_reused, provenance.segments_made, provenance.executors.clone())
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

#[tokio::test]
async fn what_the_library_has_is_used_and_what_it_has_not_is_kept() {
    let scene = scene(Some("these bytes")).await;
    let picture = b"a whole picture".to_vec();
    scene.gateway.set(|script| {
        script.segments.insert(PICTURE_KEY.to_owned(), (hash(&picture), picture.clone()));
    });
    let running = scene.start_with(job()).await;
    scene.gateway.completion().await;
    assert_eq!(fs::read(scene.path(&format!("found-{PICTURE_KEY}"))).unwrap(), picture);
    let events = scene.gateway.events();
    assert_eq!(tally(&events), (1, 1, vec!["test".to_owned()]));
    let kept = kept(&events);
    let [request] = kept.as_slice() else { panic!("{kept:?}") };
    let [segment] = request.segments.as_slice() else { panic!("{request:?}") };
    assert_eq!(
        (segment.key.as_str(), segment.bytes, segment.sha256.as_str()),
        (SOUND_KEY, 4, hash(b"made").as_str())
    );
    assert_eq!(request.fence, 7);
    scene.stop(running).await;
}

#[tokio::test]
async fn a_damaged_piece_is_made_anew() {
    let whole = b"a whole picture".to_vec();
    for (bytes, hash) in [(b"a wrong picture".to_vec(), hash(&whole)), (Vec::new(), hash(&[]))] {
        let scene = scene(Some("these bytes")).await;
        scene.gateway.set(|script| {
            script.segments.insert(PICTURE_KEY.to_owned(), (hash, bytes));
        });
        let running = scene.start_with(job()).await;
        scene.gateway.completion().await;
        assert!(!scene.path(&format!("found-{PICTURE_KEY}")).exists());
        assert_eq!(tally(&scene.gateway.events()), (0, 2, vec!["test".to_owned()]));
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn what_comes_from_nameless_bytes_is_not_shared() {
    let scene = scene(None).await;
    let running = scene.start_with(job()).await;
    scene.gateway.completion().await;
    let events = scene.gateway.events();
    assert_eq!(tally(&events), (0, 2, vec!["test".to_owned()]));
    assert!(kept(&events).is_empty());
    scene.gateway.set(|script| assert!(script.wanted.is_empty(), "{:?}", script.wanted));
    scene.stop(running).await;
}

#[tokio::test]
async fn a_worker_cannot_have_a_file_of_ours_kept() {
    for trick in ["ln -s $OUT/secret", "ln $OUT/secret", "mkfifo"] {
        let worker = format!("{trick} piece-{PICTURE_KEY}; printf made > piece-{SOUND_KEY}");
        let scene = Scene::new(&diligent(&worker)).await;
        fs::write(scene.path("secret"), b"hush").unwrap();
        let mut made = report(b"the media");
        made.plan = plan(Some("these bytes"));
        scene.message("planned", &planned(plan(Some("these bytes"))));
        scene.message("done", &done(made));
        let running = scene.start_with(job()).await;
        scene.gateway.completion().await;
        let kept = kept(&scene.gateway.events());
        let keys: Vec<&str> =
            kept.iter().flat_map(|request| &request.segments).map(|one| one.key.as_str()).collect();
        assert_eq!(keys, [SOUND_KEY], "{trick}");
        scene.stop(running).await;
    }
}

#[tokio::test]
async fn what_was_finished_before_a_failure_or_a_stop_is_kept() {
    let begun = format!("{}\nprintf made > piece-{PICTURE_KEY}", crate::scene::PLANS);
    for (end, is_stopped) in [("exit 3", false), ("echo $$ > $OUT/leader; sleep 600", true)] {
        let scene = Scene::new(&format!("{begun}; {end}")).await;
        scene.message("planned", &planned(plan(Some("these bytes"))));
        let running = scene.start_with(job()).await;
        if is_stopped {
            scene.pid("leader").await;
        } else {
            scene.gateway.failure().await;
        }
        scene.stop(running).await;
        let writes = scene.gateway.writes();
        let [Event::Kept(request), end] = writes.as_slice() else { panic!("{writes:?}") };
        assert_eq!(request.segments.iter().map(|one| one.key.as_str()).collect::<Vec<_>>(), [PICTURE_KEY]);
        assert!(
            matches!((end, is_stopped), (Event::Released(..), true) | (Event::Failed(..), false)),
            "{end:?}"
        );
    }
}
