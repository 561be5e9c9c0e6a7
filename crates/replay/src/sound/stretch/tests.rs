//! Times, pitch and evenness of what is stretched.

use super::*;

const DT: Speed = Speed { map: 3, video: 2 };
const HT: Speed = Speed { map: 3, video: 4 };

/// Stretches a sound, fed in pieces.
fn stretched(speed: Speed, sound: &[Frame]) -> Vec<Frame> {
    let mut stretch = Stretch::new(speed);
    let mut pieces = sound.chunks(1000);
    let mut out = vec![[0.0; 2]; sound.len() * speed.video as usize / speed.map as usize];
    for block in out.chunks_mut(777) {
        stretch.fill(block, &mut |input| pieces.next().map(|piece| input.extend_from_slice(piece)).is_some());
    }
    out
}

/// A drum that is heard `since` frames after its beginning.
fn drum(since: i64) -> f64 {
    if !(0..4000).contains(&since) {
        return 0.0;
    }
    let at = since as f64;
    0.6 * (-at / 600.0).exp() * (at * 0.02).sin() + 0.3 * (-at / 60.0).exp() * (at * 1.9).cos()
}

#[test]
fn drums_are_in_time_and_none_is_lost_or_doubled() {
    // Half beats of 200 BPM, over a chord.
    let beats: Vec<i64> = (1..200).map(|beat| beat * 7200 + 11).collect();
    let frame = |at: i64| {
        let chord: f64 = [0.0288, 0.0363, 0.0431].iter().map(|pitch| (at as f64 * pitch).sin() * 0.08).sum();
        let hit: f64 = drum((at - 11).rem_euclid(7200)) * f64::from(u8::from(at >= 7211));
        [(chord + hit) as f32; 2]
    };
    let sound: Vec<Frame> = (0..200 * 7200).map(frame).collect();
    for speed in [DT, HT, Speed { map: 5, video: 4 }, Speed { map: 2, video: 1 }, Speed { map: 1, video: 2 }]
    {
        let out = stretched(speed, &sound);
        let mut onsets = Onsets::default();
        onsets.listen(&out, 0);
        let mut found = Vec::new();
        while let (Some(onset), _) = onsets.next_two() {
            found.push(onset);
            onsets.forget_until(onset + 1);
        }
        found.retain(|onset| *onset > 1000);
        let wanted: Vec<i64> =
            beats.iter().map(|beat| beat * i64::from(speed.video) / i64::from(speed.map)).collect();
        assert_eq!(found.len(), wanted.len(), "{speed:?}");
        for (found, wanted) in found.iter().zip(wanted) {
            assert!((found - wanted).abs() <= NEAR + HOP as i64, "{speed:?}: {found}, not {wanted}");
        }
    }
}

#[test]
fn a_tone_keeps_its_pitch_and_its_loudness() {
    for pitch in [55.0, 440.0, 2637.0] {
        let step = pitch * std::f64::consts::TAU / 48_000.0;
        let sound: Vec<Frame> =
            (0..96_000).map(|at| [(f64::from(at) * step).sin() as f32 * 0.5; 2]).collect();
        for speed in [DT, HT] {
            let out = stretched(speed, &sound);
            let inner = &out[4_800..out.len() - 9_600];
            let crossings = inner.windows(2).filter(|pair| pair[0][0] < 0.0 && pair[1][0] >= 0.0).count();
            let heard = crossings as f64 / (inner.len() as f64 / 48_000.0);
            assert!((heard - pitch).abs() < pitch * 0.01 + 1.5, "{speed:?} {pitch}: {heard}");
            // Each 20 ms are about as loud as all.
            for part in inner.chunks_exact(960) {
                let loudest = part.iter().fold(0.0_f32, |loudest, frame| loudest.max(frame[0].abs()));
                assert!((0.42..0.52).contains(&loudest), "{speed:?} {pitch}: {loudest}");
            }
        }
    }
}

#[test]
fn what_ends_is_followed_by_silence() {
    let mut stretch = Stretch::new(DT);
    let mut out = vec![[1.0; 2]; 10_000];
    stretch.fill(&mut out, &mut |_| false);
    assert!(out.iter().all(|frame| *frame == [0.0; 2]));
}
