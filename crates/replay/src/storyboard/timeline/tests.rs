use super::*;
use crate::storyboard::script::Script;

/// The groups of a sprite with these commands.
fn groups(commands: &str) -> Vec<Group> {
    let text = format!("[Events]\nSprite,Background,Centre,\"a.png\",320,240\n{commands}");
    Script::read([text.as_str()]).unwrap().actors.remove(0).groups
}

/// Values at times in milliseconds.
fn at<const N: usize>(commands: &str, property: Property, times: [i64; N]) -> [Option<i32>; N] {
    let groups = groups(commands);
    times.map(|time| value(&groups, property, time * 1000))
}

#[test]
fn a_command_moves_between_its_values_and_holds_both() {
    assert_eq!(
        at(" MX,0,1000,2000,0,100\n", Property::X, [-5000, 1000, 1250, 1999, 2000, 9000]),
        [0, 0, 6400, 25_574, 25_600, 25_600].map(Some)
    );
    assert_eq!(at(" MX,0,1000,2000,0,100\n", Property::Y, [1500]), [None]);
    assert_eq!(at(" MX,3,0,1000,0,100\n", Property::X, [500]), [Some(6400)], "slow at first");
    assert_eq!(at(" MX,0,1000,,7\n", Property::X, [0, 1000, 2000]), [1792; 3].map(Some));
    assert_eq!(
        at(" R,0,0,1000,0,-1\n", Property::Angle, [500]),
        [Some(-5215)],
        "half of 1/2π of a turn, rounded down"
    );
}

#[test]
fn the_command_that_began_last_decides() {
    let commands = " MX,0,0,4000,0,400\n MX,0,1000,2000,10,20\n";
    assert_eq!(
        at(commands, Property::X, [500, 1000, 1500, 2000, 3000, 5000]),
        [50 * 256, 10 * 256, 15 * 256, 20 * 256, 20 * 256, 20 * 256].map(Some)
    );
    // In whatever order they are written; of two at the same time, the one that ends later.
    assert_eq!(at(" MX,0,100,,5\n MX,0,0,,3\n", Property::X, [50, 150]), [3 * 256, 5 * 256].map(Some));
    assert_eq!(at(" MX,0,0,1000,5,9\n MX,0,0,,3\n", Property::X, [0]), [Some(5 * 256)]);
}

#[test]
fn loops_repeat_what_is_in_them() {
    // Three times 300 ms, from 1,100 ms on: the first command begins 100 ms after the loop.
    let commands = " L,1000,3\n  MX,0,100,200,0,100\n  MX,0,300,400,50,60\n";
    let expected = [0, 0, 12_800, 25_600, 12_800, 0, 12_800, 13_567, 12_800, 15_360, 15_360];
    let times = [0, 1100, 1150, 1250, 1300, 1400, 1450, 1630, 1900, 2000, 90_000];
    let expected = expected.map(Some);
    assert_eq!(at(commands, Property::X, times), expected);
    assert_eq!(groups(commands)[0].life(), Some((1_100_000, 2_000_000)));
}

#[test]
fn what_a_loop_left_holds_until_its_next_time() {
    // One time takes a second; the move is in its second half.
    let commands = " L,0,2\n  F,0,0,1000,1\n  MX,0,500,600,1,2\n";
    let times = [0, 550, 800, 1200, 1499, 1500, 1600];
    assert_eq!(at(commands, Property::X, times), [256, 384, 512, 512, 512, 256, 512].map(Some));
}

#[test]
fn plain_commands_and_loops_compete() {
    // Each time of the loop begins anew; where both begin at once, the loop decides.
    let commands = " MX,0,0,,1\n MX,0,1450,,9\n MX,0,1600,,9\n L,1000,10\n  MX,0,0,100,2,3\n";
    assert_eq!(
        at(commands, Property::X, [999, 1000, 1050, 1449, 1450, 1499, 1500, 1600, 5000]),
        [256, 512, 640, 637, 2304, 2304, 512, 512, 768].map(Some)
    );
}

#[test]
fn a_bomb_of_a_loop_is_a_division() {
    let commands = " L,-1000000,2147483647\n  F,0,0,0,1\n  F,0,1,1,0\n L,0,2147483647\n  MX,0,0,0,1\n";
    let groups = groups(commands);
    assert_eq!(value(&groups, Property::Opacity, 500), Some(65_536));
    assert_eq!(value(&groups, Property::X, i64::MAX), Some(256));
    assert_eq!(value(&groups, Property::Opacity, i64::MIN), Some(65_536));
}

#[test]
fn switches_hold_for_their_time() {
    assert_eq!(at(" P,0,100,200,H\n", Property::FlipH, [0, 100, 199, 200, 900]), [0, 1, 1, 0, 0].map(Some));
    assert_eq!(
        at(" P,0,100,100,A\n", Property::Additive, [0, 100, 900]),
        [1; 3].map(Some),
        "for ever, from the beginning"
    );
    assert_eq!(at(" P,0,100,200,H\n P,0,300,,H\n", Property::FlipH, [150, 250, 350]), [1, 0, 1].map(Some));
}

#[test]
fn triggers_count_from_when_they_fired() {
    let mut groups = groups(" F,0,0,,0\n T,HitSound,0,9000\n  F,0,100,200,1,0.5\n");
    assert_eq!(groups[1].life(), None);
    let Timing::Trigger { fired, .. } = &mut groups[1].timing else { panic!() };
    fired.extend([1_000_000, 2_000_000, 2_050_000]);
    let at = |time: i64| value(&groups, Property::Opacity, time * 1000);
    assert_eq!([500, 1050, 1100, 1150, 1900].map(at), [0, 0, 65_536, 49_152, 32_768].map(Some));
    assert_eq!([2040, 2100, 2150, 2200].map(at), [0, 0, 65_536, 49_152].map(Some), "it began again");
    assert_eq!(groups[1].life(), Some((1_100_000, 2_250_000)));
}
