// The list of recordings. A card stays the same element from the moment that
// its file is dropped, so that nothing jumps when the upload becomes a job.

import { about, clock, language, ordinal, size, words } from "./format.js";

const template = document.getElementById("card");

export class Cards {
  // act(what, item): retry, cancel or delete
  constructor(list, act) {
    this.list = list;
    this.act = act;
    this.cards = new Map(); // by key
  }

  // render shows items, which come in their order.
  render(items, openId) {
    const keys = new Set(items.map((i) => i.key));
    for (const [key, card] of this.cards) {
      if (!keys.has(key)) {
        this.remove(card);
        this.cards.delete(key);
      }
    }
    let at = this.list.firstElementChild;
    for (const item of items) {
      let card = this.cards.get(item.key);
      if (!card) {
        card = this.make();
        this.cards.set(item.key, card);
      }
      if (card.li === at) at = at.nextElementSibling;
      else this.list.insertBefore(card.li, at);
      this.update(card, item, openId);
    }
  }

  make() {
    const li = template.content.firstElementChild.cloneNode(true);
    const find = (selector) => li.querySelector(selector);
    const card = { li, open: find(".card-open"), name: find(".card-name"), text: find(".card-text"), bar: find("progress"), buttons: [...li.querySelectorAll("[data-do]")] };
    for (const button of card.buttons) {
      button.addEventListener("click", () => this.act(button.dataset.do, card.item));
    }
    return card;
  }

  // remove keeps the keyboard's place in the list.
  remove({ li }) {
    const focused = li.contains(document.activeElement);
    const next = li.nextElementSibling ?? li.previousElementSibling;
    li.remove();
    if (focused) (next?.querySelector(".card-open") ?? document.getElementById("files")).focus();
  }

  update(card, item, openId) {
    card.item = item;
    set(card.name, "textContent", item.name);
    set(card.name, "title", item.name);
    set(card.text, "textContent", describe(item));
    set(card.text, "title", item.state === "failed" ? item.error : "");
    if (card.li.dataset.state !== item.state) card.li.dataset.state = item.state;
    if (item.id) {
      card.open.href = `#${item.id}`;
      card.open.toggleAttribute("aria-current", item.id === openId);
    } else {
      card.open.removeAttribute("href");
    }
    const part = progress(item);
    if (part === null) card.bar.removeAttribute("value");
    else card.bar.value = part;
    card.bar.ariaLabel = `Progress of ${item.name}`;
    card.bar.ariaHidden = item.state === "working" || item.state === "uploading" ? null : "true";
    const names = { retry: "Try again", cancel: "Cancel", delete: "Delete" };
    for (const button of card.buttons) {
      const what = button.dataset.do;
      button.hidden = !possible(item).includes(what);
      button.title = names[what];
      button.ariaLabel = `${names[what]}: ${item.name}`;
    }
  }
}

function set(element, property, value) {
  if (element[property] !== value) element[property] = value;
}

function possible(item) {
  switch (item.state) {
    case "failed": return item.final ? ["delete"] : ["retry", "delete"];
    case "cancelled": return ["retry", "delete"];
    case "done": return ["delete"];
    default: return ["cancel"];
  }
}

// progress is a part of 1, or null where nobody knows.
export function progress(item) {
  switch (item.state) {
    case "uploading": return item.sent / item.size;
    case "working": return item.heard > 0 && item.duration > 0 ? item.heard / item.duration : null;
    default: return 0;
  }
}

export function describe(item) {
  switch (item.state) {
    case "waiting": return "Waiting to upload";
    case "uploading": {
      if (item.sent >= item.size) return "Storing…";
      const percent = Math.floor(100 * item.sent / item.size);
      return `Uploading ${percent} %` + (item.speed > 0 ? ` · ${size(item.speed)}/s` : "");
    }
    case "there": return "Uploaded";
    case "queued": return item.place === 1 || !item.place ? "Next in line" : `${ordinal(item.place)} in line`;
    case "working": {
      if (!item.heard) return "Transcribing…";
      const left = timeLeft(item);
      return `${clock(item.heard)} of ${clock(item.duration)}` + (left ? ` · about ${about(left)} left` : "");
    }
    case "done": {
      const length = clock(item.duration ?? 0);
      if (!item.words) return `${length} · No speech found`;
      return [length, words(item.words), item.language ? language(item.language) : ""].filter(Boolean).join(" · ");
    }
    case "cancelled": return "Cancelled";
    default: return item.error;
  }
}

// timeLeft trusts the pace so far, once there is some.
function timeLeft(item) {
  const elapsed = (Date.now() - item.started) / 1000;
  if (elapsed < 3 || !item.heard) return 0;
  return elapsed * (item.duration - item.heard) / item.heard;
}
