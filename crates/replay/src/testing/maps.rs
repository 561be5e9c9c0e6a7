//! Small maps of our own, one for each thing that has to be seen, heard or judged. They share one song: 120 beats per minute,
//! the first beat at 0 ms ([`super::files::song`]).

/// osu!: sixteen circles, half a second apart, in combos of four. OD 5, AR 5.
pub const CIRCLES: &str = "osu file format v14

[General]
AudioFilename: song.wav
AudioLeadIn: 0
PreviewTime: 2000
Countdown: 0
SampleSet: Normal
StackLeniency: 0.7
Mode: 0

[Metadata]
Title:Sixteen Circles
TitleUnicode:Sixteen Circles
Artist:Tests
ArtistUnicode:Tests
Creator:Tests
Version:Circles
BeatmapID:0
BeatmapSetID:-1

[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:5
ApproachRate:5
SliderMultiplier:1.4
SliderTickRate:1

[Events]
0,0,\"background.png\",0,0

[TimingPoints]
0,500,4,1,0,80,1,0

[HitObjects]
64,64,2000,5,0,0:0:0:0:
192,64,2500,1,0,0:0:0:0:
320,64,3000,1,2,0:0:0:0:
448,64,3500,1,8,0:0:0:0:
448,192,4000,5,0,0:0:0:0:
320,192,4500,1,0,0:0:0:0:
192,192,5000,1,2,0:0:0:0:
64,192,5500,1,8,0:0:0:0:
64,320,6000,5,4,0:0:0:0:
192,320,6500,1,0,0:0:0:0:
320,320,7000,1,2,0:0:0:0:
448,320,7500,1,8,0:0:0:0:
352,256,8000,5,0,0:0:0:0:
256,192,8500,1,0,0:0:0:0:
160,128,9000,1,2,0:0:0:0:
64,64,9500,1,8,0:0:0:0:
";

/// osu!: everything there is. Circles, a stream, a stack, sliders of all four kinds with ticks and repeats, a spinner, a break,
/// kiai, changes of slider velocity, sample sets, additions, numbered samples, volumes, combo colours, a warning, a storyboard.
/// Names in Japanese. OD 6, AR 8.
pub const EVERYTHING: &str = "osu file format v14

[General]
AudioFilename: song.wav
AudioLeadIn: 0
PreviewTime: 20000
Countdown: 0
SampleSet: Soft
StackLeniency: 0.7
Mode: 0
LetterboxInBreaks: 1
EpilepsyWarning: 1
WidescreenStoryboard: 1

[Metadata]
Title:Everything At Once
TitleUnicode:全部まとめて
Artist:Tests
ArtistUnicode:テスト
Creator:Tests
Version:Everything
Source:
Tags:tests own
BeatmapID:0
BeatmapSetID:-1

[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:6
ApproachRate:8
SliderMultiplier:1.4
SliderTickRate:1

[Events]
//Background and Video events
0,0,\"background.png\",0,0
//Break Periods
2,16700,19400
//Storyboard Layer 0 (Background)
Sprite,Background,Centre,\"sb/star.png\",320,240
 F,0,500,1500,0,1
 M,0,1500,6000,100,100,540,380
 R,0,1500,6000,0,6.28
 F,0,6000,6500,1,0
//Storyboard Sound Samples
Sample,1000,0,\"sb/bell.wav\",70

[TimingPoints]
0,500,4,2,0,70,1,0
6000,-100,4,1,0,60,0,0
9500,-100,4,3,1,80,0,0
20000,-50,4,2,2,90,0,1
22500,-100,4,1,0,40,0,0

[Colours]
Combo1 : 255,128,64
Combo2 : 64,192,255
Combo3 : 128,255,96

[HitObjects]
100,100,2000,5,0,0:0:0:0:
200,100,2500,1,0,0:0:0:0:
300,100,3000,1,2,0:0:0:0:
400,100,3500,1,8,1:3:0:0:
120,200,4000,5,4,0:0:0:0:
160,210,4125,1,0,0:0:0:0:
200,220,4250,1,0,0:0:0:0:
240,230,4375,1,0,0:0:0:0:
280,240,4500,1,2,0:0:0:0:
256,192,5000,5,0,0:0:0:0:
256,192,5250,1,0,0:0:0:0:
256,192,5500,1,8,0:0:0:0:
100,100,6000,6,0,L|240:100,1,140,0|2,0:0|0:0,0:0:0:0:
100,300,7000,2,2,L|380:300,2,280,2|0|8,0:0|1:2|2:0,0:0:0:0:
256,60,9500,6,0,P|356:160|256:260,1,280,4|0,0:0|0:0,0:0:0:0:
100,200,11000,2,0,B|150:100|250:300|300:200,1,210,0|0,0:0|0:0,0:0:0:0:
350,200,12500,2,0,B|400:100|450:150|450:150|480:300,3,140,0|2|8|4,0:0|0:0|0:0|0:0,0:0:0:0:
256,192,14500,12,0,16500,0:0:0:0:
64,192,20000,6,4,L|344:192,1,280,4|0,0:0|0:0,0:0:0:0:
400,100,21000,2,0,C|440:180|380:260|420:340,1,280,0|0,0:0|0:0,0:0:0:0:
256,192,22000,5,0,2:1:2:60:
128,192,22500,1,2,3:1:0:0:
384,192,23000,1,4,0:0:0:100:
256,96,23500,1,12,0:0:0:0:
";

/// osu!: two sliders of four beats with ticks, then circles, all far apart. OD 5.
pub const SLIDERS: &str = "osu file format v14

[General]
AudioFilename: song.wav
SampleSet: Normal
StackLeniency: 0.7
Mode: 0

[Metadata]
Title:Sliders
Artist:Tests
Creator:Tests
Version:Sliders
BeatmapID:0
BeatmapSetID:-1

[Difficulty]
HPDrainRate:5
CircleSize:4
OverallDifficulty:5
ApproachRate:9
SliderMultiplier:1
SliderTickRate:2

[Events]
0,0,\"background.png\",0,0

[TimingPoints]
0,500,4,1,0,80,1,0

[HitObjects]
56,96,2000,6,0,L|456:96,1,400
56,288,5000,2,0,L|256:288,2,200
256,192,8000,5,0,0:0:0:0:
356,192,9000,6,0,L|406:192,1,50
100,192,10000,5,0,0:0:0:0:
";

/// osu!taiko: centre and rim, small and big, a drum roll and a swell. OD 5.
pub const TAIKO: &str = "osu file format v14

[General]
AudioFilename: song.wav
SampleSet: Normal
StackLeniency: 0.7
Mode: 1

[Metadata]
Title:Drums
Artist:Tests
Creator:Tests
Version:Drums
BeatmapID:0
BeatmapSetID:-1

[Difficulty]
HPDrainRate:5
CircleSize:5
OverallDifficulty:5
ApproachRate:5
SliderMultiplier:1.4
SliderTickRate:1

[Events]
0,0,\"background.png\",0,0

[TimingPoints]
0,500,4,1,0,80,1,0
6000,-80,4,1,0,80,0,1

[HitObjects]
256,192,2000,5,0,0:0:0:0:
256,192,2500,1,8,0:0:0:0:
256,192,3000,1,4,0:0:0:0:
256,192,3500,1,12,0:0:0:0:
256,192,4000,1,0,0:0:0:0:
256,192,4250,1,2,0:0:0:0:
256,192,4500,1,0,0:0:0:0:
256,192,4750,1,8,0:0:0:0:
256,192,5000,2,0,L|396:192,1,140
256,192,6500,1,0,0:0:0:0:
256,192,7000,1,6,0:0:0:0:
256,192,8000,12,0,10000,0:0:0:0:
256,192,11000,1,0,0:0:0:0:
256,192,11500,1,8,0:0:0:0:
";

/// osu!mania with four keys: single notes and chords. OD 8.
pub const MANIA: &str = "osu file format v14

[General]
AudioFilename: song.wav
SampleSet: Soft
StackLeniency: 0.7
Mode: 3

[Metadata]
Title:Keys
Artist:Tests
Creator:Tests
Version:Keys
BeatmapID:0
BeatmapSetID:-1

[Difficulty]
HPDrainRate:7
CircleSize:4
OverallDifficulty:8
ApproachRate:5
SliderMultiplier:1.4
SliderTickRate:1

[Events]
0,0,\"background.png\",0,0

[TimingPoints]
0,500,4,2,0,80,1,0
4000,-50,4,2,0,80,0,1

[HitObjects]
64,192,2000,1,0,0:0:0:0:
192,192,2500,1,0,0:0:0:0:
320,192,3000,1,0,0:0:0:0:
448,192,3500,1,0,0:0:0:0:
64,192,4000,1,0,0:0:0:0:
448,192,4000,1,0,0:0:0:0:
192,192,4500,1,2,0:0:0:0:
320,192,4500,1,8,0:0:0:0:
64,192,5000,1,0,0:0:0:0:
192,192,5250,1,0,0:0:0:0:
320,192,5500,1,0,0:0:0:0:
448,192,5750,1,4,0:0:0:0:
";

/// osu!mania with four keys: as [`MANIA`], with notes that are held.
pub const MANIA_HOLDS: &str = "osu file format v14

[General]
AudioFilename: song.wav
SampleSet: Soft
StackLeniency: 0.7
Mode: 3

[Metadata]
Title:Keys
Artist:Tests
Creator:Tests
Version:Held Keys
BeatmapID:0
BeatmapSetID:-1

[Difficulty]
HPDrainRate:7
CircleSize:4
OverallDifficulty:8
ApproachRate:5
SliderMultiplier:1.4
SliderTickRate:1

[Events]
0,0,\"background.png\",0,0

[TimingPoints]
0,500,4,2,0,80,1,0

[HitObjects]
64,192,2000,128,0,2500:0:0:0:0:
192,192,2500,1,0,0:0:0:0:
320,192,3000,128,0,4000:0:0:0:0:
448,192,3500,1,0,0:0:0:0:
64,192,4000,1,0,0:0:0:0:
448,192,4500,128,0,4750:0:0:0:0:
";
