// The microphone: what was recorded becomes a WAV file, which every model and every browser can read.
import { iconButton } from "./dom.js";

const SAMPLE_RATE_HZ = 16000; // what speech models work with
const LONGEST_MS = 10 * 60 * 1000;

export class Recorder {
  #recording = null;
  #timer = 0;

  /** `actions`: add(file), refuse(sentence), say(words) for a line above the composer. */
  constructor(actions) {
    this.actions = actions;
    this.button = iconButton("microphone", "Record", () => this.#toggle(), { "data-action": "record" });
    this.button.classList.add("cc-microphone");
  }

  /** Browsers give a microphone to pages of this machine and of https addresses alone. */
  static get isPossible() {
    return Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
  }

  async #toggle() {
    if (this.#recording) return this.#recording.stop();
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    } catch (error) {
      return this.actions.refuse(sentenceOf(error));
    }
    this.#record(stream);
  }

  #record(stream) {
    const chunks = [];
    const recording = new MediaRecorder(stream);
    const began = performance.now();
    recording.ondataavailable = ({ data }) => chunks.push(data);
    recording.onstop = () => {
      stream.getTracks().forEach((track) => track.stop());
      this.#show(null);
      this.#keep(new Blob(chunks, { type: recording.mimeType }));
    };
    this.#timer = setInterval(() => {
      const elapsed = performance.now() - began;
      this.actions.say(`Recording ${clock(elapsed)}`);
      if (elapsed > LONGEST_MS) recording.stop();
    }, 250);
    recording.start();
    this.#show(recording);
  }

  #show(recording) {
    this.#recording = recording;
    if (!recording) clearInterval(this.#timer);
    this.actions.say(recording ? "Recording 0:00" : "");
    const fresh = recording ? iconButton("stop", "Stop recording") : iconButton("microphone", "Record");
    this.button.replaceChildren(...fresh.childNodes);
    for (const name of ["aria-label", "title"]) this.button.setAttribute(name, fresh.getAttribute(name));
    this.button.classList.toggle("cc-recording", Boolean(recording));
  }

  async #keep(blob) {
    try {
      const decoder = new OfflineAudioContext(1, 1, SAMPLE_RATE_HZ);
      const sound = await decoder.decodeAudioData(await blob.arrayBuffer());
      this.actions.add(new File([wavOf(sound.getChannelData(0))], nameOf(new Date()), { type: "audio/wav" }));
    } catch {
      this.actions.refuse("Nothing was recorded; try again.");
    }
  }
}

function sentenceOf(error) {
  if (error.name === "NotAllowedError") return "The browser does not let this page use the microphone.";
  if (error.name === "NotFoundError") return "There is no microphone.";
  return "The microphone can't be used; perhaps another program has it.";
}

const two = (number) => String(number).padStart(2, "0");
const clock = (ms) => `${Math.floor(ms / 60000)}:${two(Math.floor(ms / 1000) % 60)}`;

function nameOf(date) {
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `recording ${day} ${two(date.getHours())}.${two(date.getMinutes())}.${two(date.getSeconds())}.wav`;
}

/** 16 bits, one channel: the header is the RIFF one of "Multimedia Programming Interface 1.0", 1991. */
function wavOf(samples) {
  const view = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const write = (at, words) => [...words].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, 36 + 2 * samples.length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true);
  view.setUint32(24, SAMPLE_RATE_HZ, true);
  view.setUint32(28, 2 * SAMPLE_RATE_HZ, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, i) => view.setInt16(44 + 2 * i, 32767 * Math.max(-1, Math.min(1, sample)), true));
  return view.buffer;
}
