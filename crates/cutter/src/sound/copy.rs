//! The montage's sound out of the sources' own packets: copied as they are, with joints in between.

use std::path::Path;

use crate::facts::AacConfig;
use crate::sound::grid::{Grid, Supply};
use crate::sound::joint::{Joiner, Joint, Side};
use crate::sound::mix::Mixer;
use crate::sound::packets::ClipPackets;
use crate::sound::shape::{at_rate, spans};
use crate::sound::speech::{SPEECH, SpeechWriter};
use crate::sound::track::{ClipCopy, SoundTrack, TrackWriter};
use crate::sound::{TrackClip, TrackError, check_order};

/// Samples of speech that are written at once.
const SPEECH_BLOCK: usize = 16_384;

/// Puts the sound of a montage of `samples` samples (at 48 kHz) together in the file at `track`, out of clips made by
/// [`super::packets::take_packets`], all of `config`. What no clip fills is silence.
///
/// # Errors
/// [`TrackError::CannotCopy`] when packets cannot be joined around a seam; encoding works then.
pub(crate) fn copy_track(
    clips: &[TrackClip],
    samples: u64,
    config: AacConfig,
    track: &Path,
    go_on: impl Fn() -> bool,
) -> Result<SoundTrack, TrackError> {
    check_order(clips)?;
    let placed: Vec<_> = clips.iter().map(|clip| clip.placed).collect();
    let spans = spans(&placed, config.sample_rate);
    let length = at_rate(samples, config.sample_rate);
    let supplies = clips.iter().map(|clip| supply(clip, config)).collect::<Result<Vec<_>, _>>()?;
    let grid = Grid::lay(&spans, &supplies, length);
    let mut joiner = Joiner::new(clips, &spans, &grid, config, &go_on);
    let mut writer = TrackWriter::create(track)?;
    let mut copies = Vec::new();
    // The run before the joint: written when the joint says where the run ends.
    let mut left: Option<Side> = None;
    for (clip, seat) in grid.clips.iter().enumerate() {
        let Some(seat) = seat else { continue };
        let mut copy =
            ClipCopy { clip: clip as u32, moved: seat.moved, first_packet: 0, packets: 0, source_sample: 0 };
        if seat.copied.0 < seat.copied.1 {
            let joint = joiner.join(left, Some(Side { clip, packet: seat.copied.0 }))?;
            write(&joiner, &mut writer, left, &joint, &mut copies)?;
            copy.first_packet = joint.to as u64;
            copy.source_sample = grid.sample(joint.to) - i64::from(seat.moved) - spans[clip].start as i64;
            left = Some(Side { clip, packet: seat.copied.1 });
        }
        copies.push(copy);
    }
    let joint = joiner.join(left, None)?;
    write(&joiner, &mut writer, left, &joint, &mut copies)?;
    Ok(writer.finish(config, grid.priming, length, copies)?)
}

/// Writes the copied run before a joint, says so in `copies`, and writes the joint.
fn write(
    joiner: &Joiner<'_>,
    writer: &mut TrackWriter,
    left: Option<Side>,
    joint: &Joint,
    copies: &mut [ClipCopy],
) -> Result<(), TrackError> {
    if let Some(left) = left {
        let from = joiner.own_number(left.clip, writer.count() as i64);
        let to = joiner.own_number(left.clip, joint.from);
        let (from, to) = from.zip(to).ok_or_else(|| std::io::Error::other("a clip's sound is missing"))?;
        let mut packets = joiner.packets(left.clip)?;
        let (sizes, file) = packets.run(from, to)?;
        writer.copy(sizes, file)?;
        if let Some(copy) = copies.iter_mut().rfind(|copy| copy.clip as usize == left.clip) {
            copy.packets = sizes.len() as u64;
        }
    }
    let mut rest = joint.data.as_slice();
    for size in &joint.sizes {
        let (packet, behind) = rest.split_at_checked(*size as usize).unwrap_or((rest, &[]));
        writer.write(packet)?;
        rest = behind;
    }
    Ok(())
}

fn supply(clip: &TrackClip, config: AacConfig) -> Result<Option<Supply>, TrackError> {
    let Some(path) = clip.path.as_ref() else { return Ok(None) };
    Ok(Some(ClipPackets::open(path, config)?.supply))
}

/// Puts the sound for transcription together in the file at `path`, `samples` samples (at 48 kHz) long, out of what
/// [`super::packets::take_packets`] decoded for it; the clips' paths lead to that.
pub(crate) fn write_speech(clips: &[TrackClip], samples: u64, path: &Path) -> Result<(), TrackError> {
    check_order(clips)?;
    let placed: Vec<_> = clips.iter().map(|clip| clip.placed).collect();
    let mut mixer = Mixer::new(SPEECH, at_rate(samples, SPEECH.rate));
    for (clip, span) in clips.iter().zip(spans(&placed, SPEECH.rate)) {
        if let Some(path) = clip.path.as_ref() {
            mixer.add(path.clone(), 0.0, span);
        }
    }
    let mut writer = SpeechWriter::create(path)?;
    let mut block = Vec::new();
    loop {
        block.clear();
        mixer.read(SPEECH_BLOCK, &mut block)?;
        if block.is_empty() {
            return writer.finish();
        }
        writer.write(SPEECH, &block)?;
    }
}
