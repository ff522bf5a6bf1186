// What was when: a lane for each endpoint that changed (its state as a bar, in colour and height),
// marks for failover moves and reloads, and under it every event in words.
import {byId, el, Keyed, setText, svg} from "./dom.js";
import {history, subject} from "./facts.js";
import {clock, plural, STATES} from "./words.js";

const MOST_LANES = 30;
const MOST_ROWS = 200;
const [LANE, LABEL, AXIS] = [26, 150, 24];
// The worse, the taller: readable without colour.
const TALL = {up: 4, forced: 4, unknown: 8, degraded: 10, drained: 12, taken: 14, partly: 12, down: 18};
const TICKS_S = [60, 180, 300, 600, 900, 3600, 7200, 14400, 21600];

/** Endpoints to show: what changed in that time or is not as it should be. A first verdict that is
 * good is no news. */
function laneNames(status, events, from) {
    const recent = events.filter((event) => event.ms >= from &&
        !(event.from === "unknown" && event.state === "up"));
    const names = new Set(recent.map((event) => event.endpoint).filter(Boolean));
    const regions = new Set(recent.map((event) => event.region).filter(Boolean));
    return status.endpoints.filter((endpoint) => names.has(endpoint.name) ||
        regions.has(endpoint.region) || endpoint.override ||
        endpoint.addresses.some((address) => address.health !== "up"));
}

function axis(x, from, now, height, width) {
    const out = [];
    const step = TICKS_S.find((s) => ((now - from) / 1000 / s) * 70 <= width - LABEL) ?? 43200;
    for (let at = Math.ceil(from / 1000 / step) * step * 1000; at < now - (now - from) * 30 / width; at += step * 1000) {
        out.push(svg("path", {class: "grid", d: `M${x(at).toFixed(1)} 0V${height - AXIS}`}),
            svg("text", {x: x(at), y: height - 7, class: "middle"},
                new Date(at).toISOString().slice(11, 16)));
    }
    return out;
}

function lane(endpoint, index, {status, events, from, begin, now, x}) {
    const region = status.regions.find((one) => one.name === endpoint.region);
    const {segments, changes} = history(endpoint, region?.override?.state ?? null, events, from, now);
    const middle = index * LANE + LANE / 2;
    const node = svg("g", {});
    for (const segment of segments.filter((one) => one.to > begin)) {
        segment.from = Math.max(segment.from, begin);
        const tall = TALL[segment.state];
        const left = x(segment.from);
        node.append(svg("rect", {class: "bar is-" + segment.state, x: left.toFixed(1),
            y: middle - tall / 2, height: tall, width: Math.max(1.5, x(segment.to) - left).toFixed(1)},
            svg("title", {}, `${endpoint.name} ${STATES[segment.state]} from ` +
                `${clock(segment.from, now)} to ${clock(segment.to, now)}`)));
    }
    for (const change of changes.filter((one) => one.kind !== "transition")) {
        node.append(svg("path", {class: "order-mark",
            d: `M${x(change.ms).toFixed(1)} ${middle - 11}l4 5-4 5-4-5z`},
            svg("title", {}, `${clock(change.ms, now)} ${change.state} by ${change.who ?? "its end"}`)));
    }
    const name = endpoint.name.length > 19 ? endpoint.name.slice(0, 18) + "…" : endpoint.name;
    node.append(svg("text", {x: LABEL - 10, y: middle + 4, class: "end"}, name,
        svg("title", {}, endpoint.name)));
    return {node, words: `${endpoint.name}: ` + segments.map(
        (segment) => `${STATES[segment.state]} from ${clock(segment.from, now)}`).join(", ")};
}

function eventRow() {
    const [time, what, state, why] = [el("time"), el("td"), el("b"), el("td")];
    const node = el("tr", {}, el("td", {}, time), what, el("td", {}, state), why);
    return {node, update: ({event, now}) => {
        setText(time, clock(event.ms, now));
        time.setAttribute("datetime", event.at);
        setText(what, subject(event));
        setText(state, event.from && event.state !== "released"
            ? `${event.from} → ${event.state}` : event.state ?? "loaded");
        const health = event.kind === "transition" ? event.state :
            {drain: "drained", down: "taken", up: "forced"}[event.state] ?? "plain";
        state.className = "is-" + health;
        const who = event.who ? `by ${event.who}` : "";
        const reason = event.reason ? `“${event.reason}”` : event.cause ?? "";
        const until = event.until ? `until ${clock(Date.parse(event.until), now)}` : "";
        setText(why, [who, reason, until].filter(Boolean).join(", "));
    }};
}

export class Timeline {
    constructor() {
        this.rows = new Keyed(byId("events"), (row) => row.event.key, eventRow);
        byId("window").addEventListener("change", () => this.last && this.show(...this.last));
        new ResizeObserver(() => this.last && this.drawLanes(...this.last)).observe(byId("lanes"));
    }

    show(status, events, now) {
        this.last = [status, events, now];
        this.rows.show(events.slice(-MOST_ROWS).reverse().map((event) => ({event, now})));
        byId("no-events").hidden = events.length > 0;
        byId("events").parentElement.hidden = events.length === 0;
        this.drawLanes(status, events, now);
    }

    drawLanes(status, events, now) {
        const width = Math.max(320, byId("lanes").clientWidth);
        const from = now - Number(byId("window").value) * 1000;
        const all = laneNames(status, events, from);
        const lanes = all.slice(0, MOST_LANES);
        const marks = events.filter((event) => event.ms >= from &&
            ["moved", "route-release", "reload"].includes(event.kind));
        const height = (lanes.length + (marks.length > 0 ? 1 : 0)) * LANE + AXIS;
        const x = (at) => LABEL + ((Math.max(at, from) - from) / (now - from)) * (width - LABEL - 8);
        // Before its start this server knew nothing.
        const begin = Math.max(from, Math.min(Date.parse(status.server.started), events[0]?.ms ?? now));
        const view = {status, events, from, begin, now, x};
        const drawing = svg("svg", {class: "lanes", width, height, viewBox: `0 0 ${width} ${height}`,
            role: "img"}, ...axis(x, from, now, height, width));
        const words = [];
        lanes.forEach((endpoint, index) => {
            const drawn = lane(endpoint, index, view);
            words.push(drawn.words);
            drawing.append(drawn.node);
        });
        const middle = lanes.length * LANE + LANE / 2;
        if (marks.length > 0) {
            drawing.append(svg("text", {x: LABEL - 10, y: middle + 4, class: "end"}, "routes, reloads"));
        }
        for (const event of marks) {
            const at = x(event.ms).toFixed(1);
            const d = event.kind === "reload" ? `M${at} ${middle - 7}v14` : `M${at} ${middle - 6}l6 10h-12z`;
            drawing.append(svg("path", {class: `event-mark ${event.kind}`, d},
                svg("title", {}, `${clock(event.ms, now)} ${subject(event)} ${event.state ?? ""} ${event.cause ?? ""}`)));
        }
        drawing.setAttribute("aria-label", words.join("; ") || "nothing changed in this time");
        const out = [drawing];
        if (height === AXIS) {
            out.length = 0;
        }
        if (all.length === 0) {
            out.push(el("p", {class: "empty"}, status.endpoints.length > 0
                ? "Every endpoint has been up all this time." : "There are no endpoints."));
        } else if (all.length > lanes.length) {
            out.push(el("p", {class: "dim"}, `and ${plural(all.length - lanes.length, "endpoint")} more that changed`));
        }
        byId("lanes").replaceChildren(...out);
    }
}
