// Steered names: where each stands, and how long a client may stay on a dead endpoint.
import {byId, el, Keyed, setAttribute, setShape, setText, shape} from "./dom.js";
import {clock, plural, rate, seconds} from "./words.js";

const MOST = 200;

/** A name with no candidate at all gets what its `when_all_down` says. */
export function nameState(name) {
    const {ipv4, ipv6} = name.available;
    return ipv4 && ipv6 ? "up" : ipv4 || ipv6 ? "partly" : "down";
}

function served(name) {
    const {ipv4, ipv6} = name.available;
    return ipv4 && ipv6 ? "yes" : ipv4 ? "IPv4 only" : ipv6 ? "IPv6 only" : "all down";
}

/** A failover route that stays off its first choice, and the way back. */
function holdRow(release, route) {
    const text = el("span");
    const button = el("button", {type: "button", class: "small", "aria-label": `Release route ${route}`,
        on: {click: () => release("route:" + route)}}, "Release…");
    return {node: el("li", {}, shape("taken"), text, " ", button), update: ({hold, now}) =>
        setText(text, `Route ${hold.route} (${hold.judge}) stays on ${hold.member}, off ${hold.better}, ` +
            (hold.until ? `until ${clock(Date.parse(hold.until), now)}.` : "until it is released."))};
}

function nameRow(explain) {
    const name = el("button", {type: "button", class: "link", title: "explain this name"});
    const [route, word] = [el("span"), el("b")];
    const [ttl, worst, now] = [el("td", {class: "number"}), el("td", {class: "number"}), el("td", {class: "number"})];
    const sign = shape("unknown");
    name.addEventListener("click", () => explain(name.textContent));
    const node = el("tr", {}, el("td", {}, name), el("td", {}, route), el("td", {}, sign, word), ttl, worst, now);
    return {node, update: ({name: one, rates}) => {
        setText(name, one.name);
        setText(route, one.route);
        setShape(sign, nameState(one));
        setText(word, served(one));
        setAttribute(word, "class", "is-" + nameState(one));
        setText(ttl, one.ttl_s === null ? "–" : `${one.ttl_s} s`);
        setText(worst, seconds(one.worst_case_s));
        setText(now, rate(rates.now(one.name)));
    }};
}

export class NameTable {
    constructor(release, explain) {
        this.rows = new Keyed(byId("names"), (row) => row.name.name, () => nameRow(explain));
        this.holds = new Keyed(byId("holds"), ({hold}) => `${hold.route} ${hold.judge}`,
            ({hold}) => holdRow(release, hold.route));
        this.known = "";
    }

    show(status, rates, now) {
        this.holds.show(status.holds.map((hold) => ({hold, now})));
        // What is not served first: that is what somebody is looking for.
        const names = status.names.map((name, i) => ({name, i})).sort((a, b) =>
            (nameState(a.name) === "up") - (nameState(b.name) === "up") || a.i - b.i);
        this.rows.show(names.slice(0, MOST).map(({name}) => ({name, rates})));
        byId("no-names").hidden = names.length > 0;
        byId("names").parentElement.hidden = names.length === 0;
        setText(byId("more-names"), names.length > MOST ? `and ${plural(names.length - MOST, "more name")}` : "");
        const known = status.names.slice(0, MOST).map((name) => name.name);
        if (known.join(" ") !== this.known) {
            this.known = known.join(" ");
            byId("steered").replaceChildren(...known.map((name) => el("option", {value: name.replace(/\.$/, "")})));
        }
    }
}
