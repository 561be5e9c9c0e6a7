// Reads the marks of counter videos from a <video> element: the browser's half of seams.rs.
// A picture's upper quarter holds twenty blocks, black or white: four bits of the source's number, sixteen of the
// frame's; the next quarter holds the opposite blocks.
const video = document.querySelector('video');
const context = document.querySelector('canvas').getContext('2d', { willReadFrequently: true });
const BLOCKS = 20;

function mark() {
  const [width, height] = [video.videoWidth, video.videoHeight];
  context.canvas.width = width;
  context.canvas.height = height;
  context.drawImage(video, 0, 0);
  const brightness = (block, band) => {
    const [x, y] = [(width / BLOCKS) * (block + 0.25), (height / 4) * (band + 0.25)];
    const { data } = context.getImageData(x, y, Math.max(1, width / BLOCKS / 2), Math.max(1, height / 8));
    let sum = 0;
    for (let at = 0; at < data.length; at += 4) sum += data[at];
    return sum / (data.length / 4);
  };
  let word = 0;
  for (let block = 0; block < BLOCKS; block += 1) {
    const [number, opposite] = [brightness(block, 0), brightness(block, 1)];
    if (Math.abs(number - opposite) < 60) return null;
    word = word * 2 + (number > opposite ? 1 : 0);
  }
  return word;
}

const happened = (name) =>
  new Promise((done, failed) => {
    video.addEventListener(name, done, { once: true });
    video.addEventListener('error', () => failed(new Error(video.error.message)), { once: true });
  });

async function load(name) {
  video.src = name;
  if (video.readyState < 2) await happened('loadeddata');
  return video.duration;
}

// Shows single frames; answers [frame, mark] for those whose mark is not the wanted one.
async function step(rate, wanted) {
  const wrong = [];
  for (const [frame, word] of wanted) {
    const sought = happened('seeked');
    video.currentTime = (frame + 0.5) / rate;
    await sought;
    let found = mark();
    // The picture may reach the canvas a moment after the event.
    for (let wait = 0; wait < 40 && found !== word; wait += 1) {
      await new Promise((done) => setTimeout(done, 25));
      found = mark();
    }
    if (found !== word) wrong.push([frame, found]);
  }
  return wrong;
}

// Plays from the first frame to the last; answers [frame, mark] for every frame that was presented.
async function play(rate) {
  const sought = happened('seeked');
  video.currentTime = 0;
  await sought;
  const shown = [];
  const look = (now, frame) => {
    shown.push([Math.round(frame.mediaTime * rate), mark()]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  const ended = happened('ended');
  await video.play();
  await ended;
  return shown;
}
