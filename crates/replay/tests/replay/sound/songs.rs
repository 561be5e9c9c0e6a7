//! Songs: in time at any speed, held below the ceiling, refused where they cannot be heard.

use super::*;

/// A song of silence with clicks (four samples long) at these seconds.
fn clicks(rate: u32, seconds: usize, at: &[f64]) -> Vec<u8> {
    let mut samples = vec![0.0; seconds * rate as usize];
    for at in at {
        let from = (at * f64::from(rate)).round() as usize;
        samples[from..from + 4].fill(0.6);
    }
    wav_of(rate, samples)
}

/// Where clicks are heard first, in samples.
fn click_places(mix: &[[f32; 2]]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for (at, frame) in mix.iter().enumerate() {
        if frame[0] > 0.2 && found.last().is_none_or(|last| at - last > 2400) {
            found.push(at);
        }
    }
    found
}

#[test]
fn both_ends_of_ten_minutes_are_in_time_at_any_speed() {
    let at = [0.5, 1.0, 299.75, 598.0, 599.5];
    let song = clicks(44_100, 600, &at);
    let table =
        [(0, 1.0, 3), (bits::DOUBLE_TIME, 1.5, 120), (bits::HALF_TIME, 0.75, 120), (bits::NIGHTCORE, 1.5, 3)];
    for (mods, speed, tolerance) in table {
        let mut scene = Scene::circles(&[(599_000, "0")]);
        scene.play.events.clear();
        scene.options.sound.nightcore_beats = false;
        scene.song = Some(song.clone());
        scene.mods = mods;
        scene.samples = (600.0 / speed * 48_000.0) as u64 + 48_000;
        let found = click_places(&scene.mix());
        assert_eq!(found.len(), at.len(), "{mods}: {found:?}");
        for (found, at) in found.iter().zip(at) {
            let wanted = at * 48_000.0 / speed;
            assert!((*found as f64 - wanted).abs() <= f64::from(tolerance), "{mods}: {found}, not {wanted}");
        }
    }
}

#[test]
fn a_song_begins_where_the_video_does() {
    let song = clicks(44_100, 20, &[0.0, 10.0, 11.0]);
    for (mods, speed, tolerance) in
        [(0, 1.0, 3.0), (bits::DOUBLE_TIME, 1.5, 120.0), (bits::NIGHTCORE, 1.5, 3.0)]
    {
        for first in [-1_500_000, 9_123_456] {
            let mut scene = Scene::circles(&[(19_000, "0")]);
            scene.play.events.clear();
            scene.options.sound.nightcore_beats = false;
            (scene.song, scene.mods, scene.first) = (Some(song.clone()), mods, first);
            scene.samples = 48_000 * 16;
            let found = click_places(&scene.mix());
            let wanted: Vec<f64> = [0.0, 10.0, 11.0]
                .iter()
                .map(|at| (at - first as f64 / 1e6) * 48_000.0 / speed)
                .filter(|at| *at >= 0.0)
                .collect();
            assert_eq!(found.len(), wanted.len(), "{mods} {first}: {found:?}");
            for (found, wanted) in found.iter().zip(wanted) {
                assert!((*found as f64 - wanted).abs() <= tolerance, "{mods} {first}: {found}, not {wanted}");
            }
        }
    }
}

#[test]
fn loud_mixes_are_held_below_the_ceiling() {
    let mut scene = Scene::circles(&[(1000, "14"), (1001, "14"), (1002, "14"), (1003, "14")]);
    scene.song = Some(wav((0..48_000 * 8).map(|at| (f64::from(at) * 0.02).sin() * 0.99)));
    let mix = scene.mix();
    assert!(mix.iter().all(|frame| frame[0].abs() <= 0.892 && frame[1].abs() <= 0.892));
    // Long after and before, it is as loud as it may be.
    let loudest = |part: &[[f32; 2]]| part.iter().fold(0.0_f32, |most, frame| most.max(frame[0]));
    assert!(loudest(&mix[..40_000]) > 0.88 && loudest(&mix[100_000..200_000]) > 0.88);
}

#[test]
fn the_same_mix_is_made_again() {
    let mut scene = samples::slider();
    scene.song = Some(clicks(44_100, 8, &[0.5, 3.0]));
    scene.mods = bits::DOUBLE_TIME;
    scene.skin.clear();
    assert!(scene.mix() == scene.mix());
}

#[test]
fn songs_that_cannot_be_heard_are_errors_of_the_list() {
    let mut none = |_: &[[f32; 2]]| ControlFlow::Continue(());
    let mut code = |scene: &Scene| scene.mix_into(&mut none).err().map(|error| error.code());
    let mut scene = Scene::circles(&[(1000, "0")]);
    assert_eq!(code(&scene), None, "virtual");
    scene.map = scene.map.replace("virtual", "");
    assert_eq!(code(&scene), None, "no name");
    scene.map = scene.map.replace("AudioFilename: ", "AudioFilename: song.mp3");
    assert_eq!(code(&scene), Some("replay_audio_missing"));
    for bytes in [Vec::new(), vec![0; 5000], b"RIFF\x04\0\0\0WAVE".to_vec(), b"OggS".to_vec(), wav([])] {
        scene.song = Some(bytes);
        assert_eq!(code(&scene), Some("replay_audio_unsupported"));
    }
    scene.song = Some(wav_of(4_000, std::iter::repeat_n(0.1, 4_000 * 701)));
    scene.samples = 48_000 * 690;
    assert_eq!(code(&scene), None, "what is not heard is not counted");
    scene.samples = 48_000 * 702;
    assert_eq!(code(&scene), Some("replay_too_long"));
}

#[test]
fn a_mix_can_be_ended_early() {
    let mut pieces = 0;
    let mut sink = |_: &[[f32; 2]]| {
        pieces += 1;
        if pieces == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    Scene::circles(&[(1000, "0")]).mix_into(&mut sink).unwrap();
    assert_eq!(pieces, 3);
}

#[test]
fn damaged_songs_are_heard_or_refused() {
    let whole = clicks(44_100, 2, &[0.5, 1.0]);
    let mut scene = Scene::circles(&[(1000, "0")]);
    scene.samples = 48_000 * 2;
    let mut state = 1_u32;
    let mut random = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize
    };
    let (mut fine, mut refused) = (0, 0);
    for round in 0..300 {
        let mut bytes = whole.clone();
        if round % 3 == 0 {
            bytes.truncate(random() % bytes.len());
        }
        for _ in 0..random() % 4 {
            let at = random() % bytes.len().clamp(1, 60);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = random() as u8;
            }
        }
        scene.song = Some(bytes);
        match scene.mix_into(&mut |_| ControlFlow::Continue(())) {
            Ok(()) => fine += 1,
            Err(error) => {
                assert!(matches!(error.about(), About::Audio), "{error}");
                refused += 1;
            }
        }
    }
    assert!(fine > 50 && refused > 50, "{fine} {refused}");
}
