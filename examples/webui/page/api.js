// What the server can be asked for, apart from uploads.

// A problem is an answer that says no, in words for people.
export class Problem extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(method, path) {
  const answer = await fetch(path, { method });
  if (!answer.ok) {
    throw new Problem(answer.status, problemIn(await answer.text(), answer.status));
  }
  return answer;
}

// problemIn finds the message in an answer, whoever gave it.
export function problemIn(text, status) {
  try {
    return JSON.parse(text).error;
  } catch {
    return `the server answers ${status}`;
  }
}

export const config = async () => (await ask("GET", "/api/config")).json();
export const jobs = async () => (await ask("GET", "/api/jobs")).json();
export const cancel = (id) => ask("POST", `/api/jobs/${id}/cancel`);
export const retry = (id) => ask("POST", `/api/jobs/${id}/retry`);
export const remove = (id) => ask("DELETE", `/api/jobs/${id}`);
export const audioURL = (id) => `/api/jobs/${id}/audio`;
export const transcriptURL = (id, format) => `/api/jobs/${id}/transcript.${format}`;
