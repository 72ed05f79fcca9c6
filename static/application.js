// Latchkey's pages work without this file; it only makes them quicker. Everything attaches by data attributes.
(() => {
  "use strict";

  const icons = document.body.dataset.icons;
  const all = (root, selector) => [...root.querySelectorAll(selector)];

  const element = (tag, attributes = {}, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  };

  const icon = (name) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS(space, "use");
    use.setAttribute("href", `${icons}#${name}`);
    svg.append(use);
    return svg;
  };

  const button = (label, name, attributes = {}) =>
    element("button", { type: "button", class: "btn", ...attributes }, icon(name), element("span", {}, label));

  // Announcements for those who can't see what changed.
  const live = element("div", { class: "sr-only", role: "status" });
  document.body.append(live);
  const announce = (text) => {
    live.textContent = "";
    setTimeout(() => { live.textContent = text; }, 50);
  };

  // Copying. Without the clipboard (plain http elsewhere than on this machine) an old command serves, and if that
  // fails too the text is left selected.
  const copy = async (text, field) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      const source = field || element("textarea", { class: "sr-only" });
      if (!field) { source.value = text; document.body.append(source); }
      const kind = source.type;
      if (field) field.type = "text";
      source.select();
      let done = false;
      try { done = document.execCommand("copy"); } catch { /* the selection stays */ }
      if (!field) source.remove();
      else if (done) field.type = kind;
      return done;
    }
  };

  const copyButton = (label, text, field, after) => {
    const made = button("Copy", "copy", { "aria-label": label });
    made.addEventListener("click", async () => {
      const done = await copy(text(), field);
      const word = made.querySelector("span");
      made.querySelector("svg").replaceWith(icon(done ? "check" : "copy"));
      word.textContent = done ? "Copied" : "Press Ctrl+C";
      announce(done ? "Copied" : "The text is selected. Copy it with the keyboard.");
      if (after) after();
      setTimeout(() => {
        made.querySelector("svg").replaceWith(icon("copy"));
        word.textContent = "Copy";
      }, 3000);
    });
    return made;
  };

  const enhanceCopy = (root) => {
    for (const place of all(root, "[data-copy]")) {
      place.replaceWith(copyButton(place.dataset.copyLabel, () => place.dataset.copy));
    }
  };

  // The one-time value: masked, with Show and Copy, and a question before it is lost unseen.
  const enhanceSecret = (root) => {
    for (const field of all(root, "[data-secret]")) {
      let seen = false;
      field.type = "password";
      const show = button("Show", "eye", { "aria-pressed": "false", "aria-label": "Show the value" });
      show.addEventListener("click", () => {
        const hidden = field.type === "password";
        field.type = hidden ? "text" : "password";
        show.setAttribute("aria-pressed", String(hidden));
        show.querySelector("span").textContent = hidden ? "Hide" : "Show";
        show.setAttribute("aria-label", `${hidden ? "Hide" : "Show"} the value`);
        show.querySelector("svg").replaceWith(icon(hidden ? "eye-off" : "eye"));
        seen = true;
      });
      field.after(show, copyButton(field.dataset.secret, () => field.value, field, () => { seen = true; }));
      window.addEventListener("beforeunload", (event) => {
        if (seen) return;
        seen = true;
        event.preventDefault();
      });
    }
  };

  // One send for each form.
  const enhanceOnce = (root) => {
    for (const form of all(root, "form[data-once]")) {
      form.addEventListener("submit", () => {
        form.dataset.sent = "";
        for (const send of all(form, "button:not([type=button])")) {
          send.dataset.label = send.textContent;
          send.textContent = form.dataset.once;
          // After the browser has gathered the fields, so that the button's own value is among them.
          setTimeout(() => { send.disabled = true; });
        }
      });
    }
  };
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const send of all(document, "form[data-once] button[data-label]")) {
      send.disabled = false;
      send.textContent = send.dataset.label;
    }
  });

  // Unsaved settings.
  const enhanceGuard = (root) => {
    for (const form of all(root, "form[data-guard]")) {
      form.addEventListener("input", () => { form.dataset.changed = ""; });
    }
  };
  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("form[data-guard][data-changed]:not([data-sent])") &&
        !document.querySelector("form[data-guard][data-sent]")) event.preventDefault();
  });

  // Character counters. Characters are counted as the server does, not as UTF-16 units.
  const enhanceCounters = (root) => {
    for (const area of all(root, "[data-counter]")) {
      const limit = Number(area.dataset.counter);
      const out = element("span", { class: "counter" });
      area.after(out);
      const count = () => {
        const length = [...area.value.trim()].length;
        out.textContent = `${length} / ${limit}`;
        out.classList.toggle("over", length > limit);
      };
      area.addEventListener("input", count);
      count();
    }
  };

  // Expiration date: clear, and the usual distances.
  const enhanceDates = (root) => {
    for (const row of all(root, "[data-date]")) {
      const field = row.querySelector("input");
      const set = (value) => {
        field.value = value;
        field.dispatchEvent(new Event("input", { bubbles: true }));
        field.focus();
        announce(value ? `Expiration date ${value}` : "Expiration date cleared");
      };
      const clear = element("button", { type: "button", class: "close", "aria-label": "Clear the date" }, icon("close"));
      clear.addEventListener("click", () => set(""));
      row.append(clear);
      const preset = (label, value) => {
        if (field.max && value > field.max) return;
        const made = element("button", { type: "button", class: "btn-link" }, label);
        made.addEventListener("click", () => set(value));
        row.append(made);
      };
      for (const days of [7, 30, 90]) {
        const day = new Date(`${row.dataset.date}T00:00:00Z`);
        day.setUTCDate(day.getUTCDate() + days);
        preset(`${days} days`, day.toISOString().slice(0, 10));
      }
      if (field.max) preset("Latest allowed", field.max);
    }
  };

  // What a new token will be able to do, in words, as role and scopes change.
  const not = [
    [["api", "write_repository"], "push code"],
    [["api"], "change settings, members or projects"],
  ];
  const enhanceSummary = (root) => {
    for (const form of all(root, "[data-token-form]")) {
      const box = form.querySelector("[data-summary]");
      const boxes = all(form, "[data-able]");
      const role = form.querySelector("select");
      box.setAttribute("aria-live", "polite");
      const refresh = () => {
        const chosen = boxes.filter((scope) => scope.checked);
        const names = chosen.map((scope) => scope.value);
        box.replaceChildren();
        box.className = "can";
        box.append(element("h3", {}, "This token will be able to"));
        if (!chosen.length) {
          box.append(element("p", {}, "nothing yet: select at least one scope."));
          return;
        }
        const list = element("ul");
        const able = names.includes("api") ? boxes.filter((scope) => scope.value === "api") : chosen;
        for (const scope of able) if (scope.dataset.able) list.append(element("li", {}, scope.dataset.able));
        box.append(list);
        const where = box.dataset.reach ? ` in ${box.dataset.reach}` : "";
        box.append(element("p", {}, role
          ? `As ${role.selectedOptions[0].textContent.trim()}${where}. The role limits what the scopes open.`
          : `As you${where}.`));
        const missing = not.filter(([any]) => !any.some((name) => names.includes(name))).map(([, text]) => text);
        if (missing.length) box.append(element("p", {}, `Not: ${missing.join("; ")}.`));
        if (names.includes("api")) {
          const strong = role && role.value === "50";
          const warning = element("p", { class: strong ? "now" : "soon" });
          warning.append(icon("warning"), strong
            ? " Full read and write as Owner: whoever has this value can delete everything here."
            : " Full read and write.");
          box.append(warning);
        }
      };
      form.addEventListener("change", refresh);
      refresh();
    }
  };

  // A path that follows the name until somebody types one.
  const enhanceSlugs = (root) => {
    for (const name of all(root, "[data-slug]")) {
      const path = document.getElementById(name.dataset.slug);
      if (!path || path.value) continue;
      let own = false;
      path.addEventListener("input", () => { own = path.value !== ""; });
      name.addEventListener("input", () => {
        if (own) return;
        path.value = name.value.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()
          .replace(/[^a-z0-9_.]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
      });
    }
  };

  // Forms that fold out of a link.
  const enhanceToggles = (root) => {
    for (const link of all(root, "[data-toggle]")) {
      const panel = document.getElementById(link.dataset.toggle);
      if (!panel) continue;
      const openers = all(document, `[data-toggle="${link.dataset.toggle}"]`);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        panel.hidden = false;
        for (const opener of openers) opener.hidden = true;
        const first = panel.querySelector("input:not([type=hidden])");
        first.focus({ preventScroll: true });
        panel.scrollIntoView({ block: "nearest" });
      });
      const close = panel.querySelector("[data-toggle-close]");
      if (close && !panel.querySelector("[data-autofocus]")) {
        close.addEventListener("click", (event) => {
          event.preventDefault();
          panel.hidden = true;
          for (const opener of openers) opener.hidden = false;
          openers[0].focus();
        });
      }
    }
  };

  // Confirm pages as dialogs.
  const confirm = async (link) => {
    const answer = await fetch(link.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) throw new Error("no confirm page");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const body = page.querySelector("[data-confirm-body]");
    if (!body) throw new Error("no confirm page");
    const title = body.querySelector("[data-confirm-title]");
    title.id = "confirm-title";
    const dialog = element("dialog", { "aria-labelledby": title.id }, ...body.childNodes);
    document.body.append(dialog);
    for (const close of all(dialog, "[data-confirm-close]")) {
      close.addEventListener("click", (event) => {
        event.preventDefault();
        dialog.close();
      });
    }
    dialog.addEventListener("close", () => {
      dialog.remove();
      link.focus();
    });
    enhance(dialog);
    dialog.showModal();
    const safe = dialog.querySelector("[data-confirm-close]");
    if (safe) safe.focus();
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-confirm]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    if (document.querySelector("dialog[open]")) return;
    confirm(link).catch(() => { location.href = link.href; });
  });

  // Menus close on a click elsewhere and on Escape.
  document.addEventListener("click", (event) => {
    for (const menu of all(document, "details[data-menu][open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of all(document, "details[data-menu][open]")) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });

  // The theme changes at once; the cookie tells the server for the next page.
  for (const form of all(document, "[data-theme-form]")) {
    form.addEventListener("submit", (event) => {
      if (!event.submitter) return;
      event.preventDefault();
      const theme = event.submitter.value;
      document.documentElement.dataset.theme = theme;
      document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
      for (const choice of all(form, "[aria-pressed]")) choice.setAttribute("aria-pressed", String(choice === event.submitter));
    });
  }

  // Flashes can be put away.
  for (const flash of all(document, "[data-flash]")) {
    const close = element("button", { type: "button", class: "close", "aria-label": "Dismiss" }, icon("close"));
    close.addEventListener("click", () => {
      flash.remove();
      document.getElementById("content").focus();
    });
    flash.append(close);
  }

  // "3 minutes ago" stays true while the page is open. Beyond 30 days the date stands, and stays.
  const units = [[60, "minute"], [24, "hour"], [30, "day"]];
  const ago = (moment) => {
    let amount = Math.floor((Date.now() - moment) / 60000);
    if (amount < 1) return "just now";
    for (const [size, unit] of units) {
      if (amount < size || (unit === "day" && amount === size)) return `${amount} ${unit}${amount === 1 ? "" : "s"} ago`;
      amount = Math.floor(amount / size);
    }
    return "";
  };
  setInterval(() => {
    for (const time of all(document, "time[datetime*=T]")) {
      const text = / ago$|^just now$/.test(time.textContent) && ago(Date.parse(time.dateTime));
      if (text && text !== time.textContent) time.textContent = text;
    }
  }, 60000);

  // A section named in the address is open.
  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();

  // Back to a form, with what was typed.
  for (const link of all(document, "a[data-back]")) {
    link.addEventListener("click", (event) => {
      if (history.length < 2) return;
      event.preventDefault();
      history.back();
    });
  }

  const enhance = (root) => {
    enhanceCopy(root);
    enhanceSecret(root);
    enhanceOnce(root);
    enhanceGuard(root);
    enhanceCounters(root);
    enhanceDates(root);
    enhanceSummary(root);
    enhanceSlugs(root);
    enhanceToggles(root);
  };
  enhance(document);

  const first = document.querySelector("[data-autofocus]") ||
    (document.querySelector("[data-flash]")) ||
    document.querySelector("#new-token:not([hidden]) input:not([type=hidden]), #new-member:not([hidden]) input:not([type=hidden])");
  if (first) first.focus({ preventScroll: first.hasAttribute("data-flash") });
})();
