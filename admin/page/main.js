// Puts the page together: facts come in (live.js), each part draws them. Nothing here is written
// by the server but the coasts on the map.
import {byId, el, Keyed, setAttribute, setText} from "./dom.js";
import {endpointState, Rates, serves, subject} from "./facts.js";
import {showAnswers} from "./answers.js";
import {EndpointTable} from "./endpoints.js";
import {Explain} from "./explain.js";
import {Live} from "./live.js";
import {WorldMap} from "./map.js";
import {nameState, NameTable} from "./names.js";
import {Orders} from "./orders.js";
import {Timeline} from "./timeline.js";
import {plural, rate, span} from "./words.js";

const rates = new Rates();        // of endpoints
const name_rates = new Rates();   // of steered names
const live = new Live(draw, announce);
const orders = new Orders(() => ({status: live.status, rates}), (text) => {
    say(text);
    live.soon(0);
});
const map = new WorldMap((region) => endpoints.find(region));
const endpoints = new EndpointTable((target) => live.status && orders.open(target));
const explain = new Explain();
const names = new NameTable((target) => orders.open(target), (name) => explain.open(name));
const timeline = new Timeline();
const tiles = new Keyed(byId("tiles"), (tile) => tile.what, makeTile);
const notices = new Keyed(byId("notices"), (notice) => notice.key, makeNotice);
let drawn = null;        // the status that was drawn last
let drawn_events = -1;   // and how many events there were

function say(text) {
    const line = el("span", {}, text);
    byId("said").append(line);
    if (byId("said").childElementCount > 20) {
        byId("said").firstChild.remove();
    }
}

function announce(event) {
    say(`${subject(event)}: ${event.state ?? event.kind}${event.cause ? ", " + event.cause : ""}`);
}

function makeTile(tile) {
    const number = el("b");
    const what = el("span", {}, tile.what);
    const more = el("small", {class: "dim"});
    const node = el("li", {}, number, what, more);
    return {node, update: (now) => {
        setText(number, now.number);
        setText(more, now.more ?? "");
        setAttribute(node, "class", now.bad ? "bad" : now.warn ? "warn" : "");
    }};
}

function makeNotice() {
    const node = el("p", {});
    return {node, update: (notice) => {
        setText(node, notice.text);
        setAttribute(node, "class", `notice ${notice.bad ? "bad" : ""}`);
    }};
}

function count(list, states) {
    return list.filter((state) => states.includes(state)).length;
}

function tilesOf(status) {
    const states = status.endpoints.map(endpointState);
    const [bad, out] = [count(states, ["down", "partly"]), count(states, ["drained", "taken"])];
    const unserved = status.names.filter((name) => nameState(name) === "down").length;
    const total = rates.samples.length > 1
        ? status.answers.names.reduce((sum, name) => sum + (name_rates.now(name.name) ?? 0), 0) : null;
    const until = (Date.now() + live.clock_ahead - Date.parse(status.server.published)) / 1000;
    return [
        {what: "in service", number: `${states.filter(serves).length} / ${states.length}`,
         more: plural(states.length, "endpoint"), bad: bad > 0, warn: out > 0},
        {what: "down", number: String(count(states, ["down"])), bad: count(states, ["down"]) > 0,
         more: count(states, ["partly"]) > 0 ? `${count(states, ["partly"])} partly` : ""},
        {what: "by order", number: String(status.overrides.length), warn: status.overrides.length > 0,
         more: out > 0 ? `${out} out` : ""},
        {what: "names served", number: `${status.names.length - unserved} / ${status.names.length}`,
         bad: unserved > 0, more: unserved > 0 ? `${unserved} all down` : ""},
        {what: "answers/s", number: rate(total), more: "steered"},
        {what: "last change", number: span(until), more: "ago"},
    ];
}

function noticesOf(status) {
    const out = [];
    const add = (key, text, bad = true) => out.push({key, text, bad});
    if (live.state() === "stale") {
        const since = live.status === null ? "" :
            ` What you see is ${span((performance.now() - live.status_at) / 1000)} old.`;
        add("stale", `Out of date: ${live.problem || "no news from the server"}.${since} Trying again.`);
    }
    if (status === null) {
        return out;
    }
    if (!status.server.ready) {
        add("ready", "Not serving yet: the first round of checks is under way.", false);
    }
    if (status.server.state_problem) {
        add("state", `Orders cannot be kept: ${status.server.state_problem}`);
    }
    const errors = status.load.problems.filter((problem) => problem.severity === "error");
    if (!status.load.ok || errors.length > 0) {
        add("load", `The last load (${status.load.at}) had problems: ${status.load.message}`);
        errors.slice(0, 5).forEach((problem, i) => add(`load${i}`,
            `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`));
    }
    for (const name of status.names.filter((one) => nameState(one) === "down").slice(0, 5)) {
        add(`name ${name.name}`, `${name.name}: everything under route ${name.route} is down.`);
    }
    for (const order of status.absent_overrides) {
        add(`absent ${order.name}`, `The order ${order.state} of ${order.name} holds again when that name ` +
            "is configured again.", false);
    }
    return out;
}

function takeSamples(status) {
    const process = `${status.server.pid} ${status.server.started}`;
    const {endpoints: by_endpoint, names: by_name} = status.answers;
    rates.add(live.status_at, new Map(Object.entries(by_endpoint)), process);
    name_rates.add(live.status_at, new Map(by_name.map((one) => [one.name, one.decisions])), process);
}

const LIVE_WORDS = {connecting: "connecting", live: "live", late: "events: reconnecting", stale: "stale"};

function drawHead(status) {
    const state = live.state();
    document.body.dataset.live = state;
    setText(byId("live-text"), LIVE_WORDS[state]);
    notices.show(noticesOf(status));
    if (status === null) {
        return;
    }
    const {server} = status;
    setText(byId("identity"), server.identity ?? "");
    setText(byId("about"), `${server.version} · up ${span((live.now() - Date.parse(server.started)) / 1000)} · ` +
        `serving on ${server.listening.slice(0, 3).join(", ")}${server.listening.length > 3 ? " …" : ""}`);
    const down = status.endpoints.filter((endpoint) => endpointState(endpoint) === "down").length;
    const mark = state === "stale" ? "stale · " : down > 0 ? `${down} down · ` : "";
    document.title = `${mark}steerd ${server.identity ?? ""}`.trim();
}

function draw() {
    const status = live.status;
    drawHead(status);
    if (status === null || (status === drawn && live.events.length === drawn_events && document.hidden)) {
        return;
    }
    if (status !== drawn) {
        takeSamples(status);
    }
    tiles.show(tilesOf(status));
    const now = live.now();
    if (status !== drawn || live.events.length !== drawn_events || Math.floor(now / 1000) % 5 === 0) {
        map.show(status, rates);
        showAnswers(status, rates, live.events, now);
        endpoints.show(status, rates, now);
        names.show(status, name_rates, now);
        timeline.show(status, live.events, now);
    }
    drawn = status;
    drawn_events = live.events.length;
    document.body.dataset.drawn = "yes";
}

document.addEventListener("keydown", (event) => {
    const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(event.target.tagName);
    if (event.ctrlKey || event.altKey || event.metaKey || byId("order").open) {
        return;
    }
    if (event.key === "Escape" && event.target === byId("find")) {
        endpoints.find("");
        event.target.blur();
        return;
    }
    const act = typing ? undefined : {
        "/": () => endpoints.find(byId("find").value),
        "e": () => explain.open(),
        "t": () => byId("window").focus(),
    }[event.key];
    if (act) {
        event.preventDefault();
        act();
    }
});

async function begin() {
    live.start();
    try {
        const {now, answers} = await live.remembered();
        rates.prepend(now, answers);
        drawn = null;
    } catch {
        // The chart begins with what is counted from now on.
    }
}

begin();
