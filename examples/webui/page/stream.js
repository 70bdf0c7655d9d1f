// The page's one stream from the server: of all its jobs, and of the transcript
// that is open. It comes back by itself, and asks for what it has missed.

import * as api from "./api.js";

const again = 2000; // milliseconds

export class Stream {
  // on: jobs(all), job(one), gone(id), segments(event, number), online(), offline(), unknown(status)
  constructor(on) {
    this.on = on;
  }

  // open follows a job's transcript from behind the event `after`; id "": none.
  open(id, after = 0) {
    this.close();
    this.id = id;
    this.after = after;
    const path = id ? `/api/jobs/${id}/events?after=${after}` : "/api/events";
    const source = new EventSource(path);
    this.source = source;
    const listen = (kind, f) => source.addEventListener(kind, (e) => {
      if (this.source === source) f(JSON.parse(e.data), e);
    });
    listen("jobs", (all) => this.on.jobs(all));
    listen("job", (one) => this.on.job(one));
    listen("gone", (id) => this.on.gone(id));
    listen("segments", (event, e) => {
      const number = Number(e.lastEventId);
      if (number <= this.after) return;
      this.after = number;
      this.on.segments(event, number);
    });
    source.onopen = () => this.on.online();
    source.onerror = () => {
      if (this.source !== source) return;
      this.on.offline();
      if (source.readyState === EventSource.CLOSED) {
        // The server was there and said no, or the browser has given up.
        this.timer = setTimeout(() => this.resume(), again);
      }
    };
  }

  async resume() {
    try {
      await api.jobs();
      this.open(this.id, this.after);
    } catch (problem) {
      if (problem.status === 401) return this.on.unknown();
      this.timer = setTimeout(() => this.resume(), again);
    }
  }

  close() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }
}
