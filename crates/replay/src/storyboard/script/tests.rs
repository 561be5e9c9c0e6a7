use super::*;

fn script(events: &str) -> Script {
    Script::read([format!("[Events]\n{events}").as_str()]).unwrap()
}

/// The commands that a line stands for, sorted.
fn read(line: &str) -> Vec<Command> {
    let script = script(&format!("Sprite,Background,Centre,\"a.png\",320,240\n {line}\n"));
    script.actors[0].groups.first().map(|group| group.commands.clone()).unwrap_or_default()
}

fn command(property: Property, curve: u8, from: Micros, to: Micros, values: (i32, i32)) -> Command {
    Command { property, curve, from, to, values }
}

#[test]
fn every_command_is_read() {
    use Property::{Additive, Angle, Blue, FlipH, FlipV, Green, Opacity, Red, Scale, ScaleX, ScaleY, X, Y};
    let table: Vec<(&str, Vec<Command>)> = vec![
        ("F,0,1000,2000,0,1", vec![command(Opacity, 0, 1_000_000, 2_000_000, (0, 65_536))]),
        ("F,3,1000,,0.5", vec![command(Opacity, 3, 1_000_000, 1_000_000, (32_768, 32_768))]),
        ("F,0,-10,0.5,-1,7", vec![command(Opacity, 0, -10_000, 500, (0, 65_536))]),
        (
            "M,1,0,10,320,240,-0.5,0",
            vec![command(X, 1, 0, 10_000, (81_920, -128)), command(Y, 1, 0, 10_000, (61_440, 0))],
        ),
        ("M,0,5,5,1,2", vec![command(X, 0, 5000, 5000, (256, 256)), command(Y, 0, 5000, 5000, (512, 512))]),
        ("MX,0,0,1,2,3", vec![command(X, 0, 0, 1000, (512, 768))]),
        ("MY,0,0,1,2,3", vec![command(Y, 0, 0, 1000, (512, 768))]),
        ("S,0,0,1,0.25,2", vec![command(Scale, 0, 0, 1000, (16_384, 131_072))]),
        (
            "V,0,0,1,1,-2,3,4",
            vec![
                command(ScaleX, 0, 0, 1000, (65_536, 196_608)),
                command(ScaleY, 0, 0, 1000, (-131_072, 262_144)),
            ],
        ),
        ("R,0,0,1,0,3.14159265", vec![command(Angle, 0, 0, 1000, (0, 32_768))]),
        (
            "C,0,0,1,255,128,0,300,-5,1",
            vec![
                command(Red, 0, 0, 1000, (65_280, 65_280)),
                command(Green, 0, 0, 1000, (32_768, 0)),
                command(Blue, 0, 0, 1000, (0, 256)),
            ],
        ),
        ("P,0,100,200,H", vec![command(FlipH, 0, 100_000, 200_000, (1, 0))]),
        ("P,0,100,,V", vec![command(FlipV, 0, 100_000, 100_000, (1, 1))]),
        ("P,0,100,100,A", vec![command(Additive, 0, 100_000, 100_000, (1, 1))]),
        // More values than two: stretches of the same length.
        (
            "F,0,0,100,0,1,0",
            vec![
                command(Opacity, 0, 0, 100_000, (0, 65_536)),
                command(Opacity, 0, 100_000, 200_000, (65_536, 0)),
            ],
        ),
        // It ends before it begins.
        ("F,0,1000,500,0,1", vec![command(Opacity, 0, 1_000_000, 1_000_000, (0, 65_536))]),
    ];
    for (line, expected) in table {
        assert_eq!(read(line), expected, "{line}");
    }
}

#[test]
fn what_is_not_understood_is_passed_over() {
    for line in [
        "F",
        "F,0",
        "F,0,0",
        "F,0,0,1",
        "F,0,0,1,x",
        "F,x,0,1,1",
        "F,0,NaN,1,1",
        "F,0,0,inf,1",
        "Q,0,0,1,1",
        "P,0,0,1,Z",
        "M,0,0,1,5",
    ] {
        assert_eq!(read(line), [], "{line}");
    }
    let script = script(
        "Sprite,Nowhere,Centre,\"a.png\",0,0\n F,0,0,1,1\nSprite,0,0,\"b.png\"\nNothing\n F,0,0,1,1\n3,100,0,0,0\n\
        0,0,\"bg.png\",0,0\nVideo,0,\"v.mp4\"\n F,0,0,1,1\nSprite,Pass,9,c.png,1,2\n",
    );
    assert_eq!(script.actors.len(), 1);
    assert_eq!((script.actors[0].file.as_str(), script.actors[0].origin), ("c.png", (2, 2)));
    assert!(script.actors[0].groups.is_empty(), "commands belong to the object right before them");
}

#[test]
fn objects_are_read_by_name_and_by_number() {
    let script = script(
        "Sprite,Foreground,TopLeft,\"SB\\Star.png\",320.5,-10\n\
        4,4,5,b.png,0,0\n\
        Animation,Fail,BottomRight,\"sb/run.png\",1,2,8,33.5,LoopOnce\n\
        6,0,1,run.png,1,2,0,0\n\
        Sample,1234.5,Pass,\"sb/bell.wav\",70\n\
        5,-1,3,bell.wav\n",
    );
    let actor = |layer, origin, file: &str, place, animation| Actor {
        layer,
        origin,
        file: file.to_owned(),
        place,
        animation,
        groups: Vec::new(),
    };
    let run = |frames, delay, once| Some(Animation { frames, delay, once });
    assert_eq!(
        script.actors,
        [
            actor(Layer::Foreground, (0, 0), "SB/Star.png", (82_048, -2560), None),
            actor(Layer::Overlay, (1, 0), "b.png", (0, 0), None),
            actor(Layer::Fail, (2, 2), "sb/run.png", (256, 512), run(8, 33_500, true)),
            actor(Layer::Background, (1, 1), "run.png", (256, 512), run(1, 1, false)),
        ]
    );
    let sample = |at, layer, file: &str, volume| Sample { at, layer, file: file.to_owned(), volume };
    assert_eq!(
        script.samples,
        [
            sample(1_234_500, Layer::Pass, "sb/bell.wav", 70),
            sample(-1000, Layer::Foreground, "bell.wav", 100)
        ]
    );
}

#[test]
fn loops_and_triggers_take_the_commands_below_them() {
    let script = script(
        "Sprite,Pass,Centre,a.png,0,0\n F,0,0,100,1\n L,1000,5\n  F,0,0,50,0,1\n  S,0,50,100,1\n_T,HitSoundClap,10,20,3\n__R,0,0,5,1\n\
        _T,Failing,0,9\n__R,0,0,5,1\n MX,0,0,1,1\n",
    );
    let groups = &script.actors[0].groups;
    let shape: Vec<(String, usize)> = groups
        .iter()
        .map(|group| {
            let kind = match &group.timing {
                Timing::Plain => "plain".to_owned(),
                Timing::Loop { start, count } => format!("{count} times from {start}"),
                Timing::Trigger { from, to, .. } => format!("between {from} and {to}"),
            };
            (kind, group.commands.len())
        })
        .collect();
    let expected = [
        ("plain", 2),
        ("5 times from 1000000", 2),
        ("between 10000 and 20000", 1),
        ("between 0 and 9000", 1),
    ];
    assert_eq!(shape, expected.map(|(kind, count)| (kind.to_owned(), count)));
}

#[test]
fn files_follow_each_other_and_have_variables_of_their_own() {
    let osu = "osu file format v14\n[General]\nSprite,Pass,Centre,no.png,0,0\n[Events]\n//Storyboard Layer 0\nSprite,Pass,Centre,one.png,0,0\n$end\n";
    let osb = "\u{20}F,0,0,1,1\n[Variables]\n$end=Sprite,Pass\n$x=7\n[Events]\n$end,Centre,two.png,$x,$x\n\u{20}F,0,0,,$x\n";
    let script = Script::read([osu, osb]).unwrap();
    let files: Vec<(&str, i32)> =
        script.actors.iter().map(|actor| (actor.file.as_str(), actor.place.0)).collect();
    assert_eq!(files, [("one.png", 0), ("two.png", 7 * 256)]);
    assert!(script.actors[0].groups.is_empty(), "a file cannot go on with another's sprite");
}

#[test]
fn counts_are_bounded() {
    let refused = |text: &str| match Script::read([text]) {
        Err(ReplayError::TooLong { about: About::Map, length, .. }) => length,
        other => panic!("{:?}", other.map(|script| script.actors.len())),
    };
    let sprites = "[Events]\n".to_owned() + &"4,0,0,a,0,0\n".repeat(MOST_SPRITES + 1);
    assert!(refused(&sprites).contains("sprites"));
    let samples = "[Events]\n".to_owned() + &"5,0,0,a\n".repeat(MOST_SAMPLES + 1);
    assert!(refused(&samples).contains("sounds"));
    let values = ",1".repeat(1000);
    let commands = format!("[Events]\n4,0,0,a,0,0\n{}", format!(" F,0,0,1{values}\n").repeat(1002));
    assert!(refused(&commands).contains("commands"));
    let loops = format!("[Events]\n4,0,0,a,0,0\n{}", " L,0,1\n".repeat(MOST_COMMANDS + 1));
    assert!(refused(&loops).contains("commands"));
}

#[test]
fn extreme_numbers_are_bounded() {
    let script = script(
        "4,0,0,a,1e300,-1e300\n M,0,-1e300,1e300,1e300,-1e300\n R,255,0,1,1e300\n S,0,0,1,-1e300\n L,1e300,9223372036854775807\n  F,0,1e300,1e300,1\n\
        6,0,0,a,0,0,4294967295,1e300\n5,1e300,0,a,1e300\n",
    );
    let day = 86_400_000_000;
    let actor = &script.actors[0];
    assert_eq!(actor.place, (256_000_000, -256_000_000));
    assert_eq!(actor.groups[0].life(), Some((-day, day)));
    let life = actor.groups[1].life().unwrap();
    assert!(life.0 == day * 2 && life.1 > life.0);
    assert_eq!(script.actors[1].animation.map(|animation| animation.frames), Some(10_000));
    assert_eq!((script.samples[0].at, script.samples[0].volume), (day, 100));
}
