// What follows from a status and from events: the state of an endpoint and a region, rates, what
// was when. Pure: no document, no clock.
import {SEVERITY} from "./words.js";

export function worst(states) {
    return states.reduce(
        (a, b) => (SEVERITY.indexOf(b) > SEVERITY.indexOf(a) ? b : a), states[0] ?? "unknown");
}

/** Of several: theirs where all agree, "partly" where some are up and some out. */
export function together(states) {
    if (states.length === 0) {
        return "unknown";
    }
    if (states.every((state) => state === states[0])) {
        return states[0];
    }
    const out = ["down", "partly", "drained", "taken"];
    const some_out = states.some((state) => out.includes(state));
    const all_out = states.every((state) => out.includes(state) && state !== "partly");
    if (all_out) {
        return states.includes("down") ? "down" : "drained";
    }
    return some_out ? "partly" : worst(states);
}

const ORDERED = {drain: "drained", down: "taken", up: "forced"};

export function stateOf(order, healths) {
    return order ? ORDERED[order] ?? "unknown" : together(healths);
}

export function endpointState(endpoint) {
    return stateOf(endpoint.override?.state, endpoint.addresses.map((a) => a.health));
}

/** Regions with their endpoints, in the order of the configuration; last those of no region. */
export function byRegion(status) {
    const regions = status.regions.map((region) => ({...region, endpoints: []}));
    const known = new Map(regions.map((region) => [region.name, region]));
    const none = {name: null, location: null, country: null, override: null, endpoints: []};
    for (const endpoint of status.endpoints) {
        (known.get(endpoint.region) ?? none).endpoints.push(endpoint);
    }
    return none.endpoints.length > 0 ? [...regions, none] : regions;
}

/** Whether queries get it. */
export function serves(state) {
    return !["down", "drained", "taken"].includes(state);
}

/** Names whose route can reach the endpoint. */
export function namesOf(status, endpoint) {
    const routes = new Map(status.routes.map((route) => [route.name, route.members]));
    const reaches = new Map();
    const reach = (name) => {
        if (name === endpoint) {
            return true;
        }
        if (!reaches.has(name)) {
            reaches.set(name, false);
            reaches.set(name, (routes.get(name) ?? []).some(reach));
        }
        return reaches.get(name);
    };
    return status.names.filter((name) => reach(name.route)).map((name) => name.name);
}

const KEPT_SAMPLES = 150;

/** Rates from totals that only grow; a server that starts anew starts them anew. */
export class Rates {
    constructor() {
        this.samples = [];
    }

    /** `totals`: a Map; `at`: milliseconds of a clock that never goes back. */
    add(at, totals, process) {
        const last = this.samples.at(-1);
        if (last !== undefined && ((last.process ?? process) !== process || at < last.at)) {
            this.samples = [];
        } else if (last !== undefined && at - last.at < 2500) {
            return;
        }
        this.samples.push({at, totals, process});
        if (this.samples.length > KEPT_SAMPLES) {
            this.samples.shift();
        }
    }

    /** What the server remembers of before, told at `now` ({ages_s, endpoints}), goes first. */
    prepend(now, remembered) {
        const first = this.samples[0]?.at ?? Infinity;
        const names = Object.entries(remembered.endpoints);
        const earlier = remembered.ages_s.map((age, i) => ({at: now - age * 1000, totals: new Map(
            names.filter(([, totals]) => totals[i] !== null).map(([name, totals]) => [name, totals[i]]))}));
        this.samples = [...earlier.filter((sample) => first - sample.at > 1000), ...this.samples];
        this.samples = this.samples.slice(-KEPT_SAMPLES);
    }

    /** [{at, rate}] of one name between each two samples. */
    series(name) {
        const out = [];
        for (let i = 1; i < this.samples.length; ++i) {
            const [a, b] = [this.samples[i - 1], this.samples[i]];
            const after = b.totals.get(name) ?? 0;
            const grown = after - (a.totals.get(name) ?? after);
            out.push({at: b.at, rate: Math.max(0, grown) / ((b.at - a.at) / 1000)});
        }
        return out;
    }

    /** Of the last seconds; null where it is not known yet. */
    now(name) {
        return this.series(name).at(-1)?.rate ?? null;
    }
}

/** Text of an event's subject: "tokyo 192.0.2.1", "region east", "route www". */
export function subject(event) {
    if (event.kind === "transition") {
        return event.address ? `${event.endpoint} ${event.address}` : event.endpoint;
    }
    for (const key of ["endpoint", "region", "route"]) {
        if (event[key]) {
            return (key === "endpoint" ? "" : key + " ") + event[key] +
                (event.judge ? ` (${event.judge})` : "");
        }
    }
    return event.kind === "reload" ? "configuration" : event.name ?? event.kind;
}

const ORDER_KINDS = ["order", "release", "expired"];

/** The state after an order event as stateOf() wants it: a word or null. */
function orderAfter(event) {
    return event.kind === "order" ? event.state : null;
}

/**
 * What an endpoint was between `from` and now: [{from, to, state}], backwards from what it is.
 * `events` are oldest first with `ms`; before the first known event things are as it found them.
 * `region_order`: the word of its region's order, or null.
 */
export function history(endpoint, region_order, events, from, now) {
    const healths = new Map(endpoint.addresses.map((a) => [a.address, a.health]));
    const mine = events.filter((event) => event.ms >= from &&
        ((event.kind === "transition" && event.endpoint === endpoint.name) ||
         (ORDER_KINDS.includes(event.kind) &&
          (event.endpoint === endpoint.name ||
           (event.region && event.region === endpoint.region)))));
    const orders = {
        endpoint: endpoint.override?.of === endpoint.name ? endpoint.override.state : null,
        region: region_order,
    };
    // What was ordered before an order event is what the one before it left.
    const before = (event, scope) => {
        const earlier = events.filter((e) => ORDER_KINDS.includes(e.kind) && e[scope] === event[scope] &&
            e.id < event.id && e.boot === event.boot);
        if (event.kind !== "order") {
            return event.from ?? (earlier.length > 0 ? orderAfter(earlier.at(-1)) : null);
        }
        return earlier.length > 0 ? orderAfter(earlier.at(-1)) : null;
    };
    const out = [];
    let to = now;
    for (const event of mine.slice().reverse()) {
        out.push({from: event.ms, to, state: stateOf(orders.endpoint ?? orders.region,
                                                     [...healths.values()])});
        to = event.ms;
        if (event.kind === "transition") {
            if (healths.has(event.address)) {
                healths.set(event.address, event.from ?? "unknown");
            }
        } else {
            const scope = event.endpoint ? "endpoint" : "region";
            orders[scope] = before(event, scope);
        }
    }
    out.push({from, to, state: stateOf(orders.endpoint ?? orders.region, [...healths.values()])});
    return {segments: out.reverse(), changes: mine};
}
