// Regions on a map: a shape for what their endpoints are together, small ones for each, a halo for
// the share of the answers. Marks that would overlap move apart; labels take the first side that is
// free. Sizes are in pixels of the screen whatever the map shows.
import {byId, el, Keyed, setAttribute, setShape, setText, shape, svg} from "./dom.js";
import {byRegion, endpointState, serves, stateOf, together} from "./facts.js";
import {plural, STATES} from "./words.js";

const LEAST_WIDTH = 1500;   // of what is shown, in tenths of a degree
const ASPECT = 2.35;
const WORLD = {x: -1800, y: -840, width: 3600, height: 1440};
const MOST_SATELLITES = 8;
const APART_PX = 26;

/** The part of the world that has all regions. */
export function frame(regions) {
    if (regions.length === 0) {
        return WORLD;
    }
    const xs = regions.map((r) => r.location[1] * 10);
    const ys = regions.map((r) => -r.location[0] * 10);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
    let width = Math.max(LEAST_WIDTH, (right - left) * 1.25 + 300, (bottom - top + 400) * ASPECT);
    width = Math.min(width, WORLD.width);
    const height = width / ASPECT;
    const inside = (at, low, high) => Math.min(Math.max(at, low), Math.max(low, high));
    const x = inside((left + right) / 2 - width / 2, WORLD.x, WORLD.x + WORLD.width - width);
    const y = inside((top + bottom) / 2 - height / 2, WORLD.y - 60,
        WORLD.y + WORLD.height + 60 - height);
    return {x, y, width, height};
}

/** Moves marks apart that stand closer than APART_PX; a few rounds are enough for a map. */
function spread(marks) {
    for (let round = 0; round < 40; ++round) {
        let moved = false;
        for (const a of marks) {
            for (const b of marks) {
                const [dx, dy] = [b.x - a.x, b.y - a.y];
                const distance = Math.hypot(dx, dy);
                if (a === b || distance >= APART_PX) {
                    continue;
                }
                const push = (APART_PX - distance) / 2 + 0.5;
                const [ux, uy] = distance > 0.01 ? [dx / distance, dy / distance] : [1, 0];
                a.x -= ux * push;
                a.y -= uy * push;
                b.x += ux * push;
                b.y += uy * push;
                moved = true;
            }
        }
        if (!moved) {
            return;
        }
    }
}

function overlap(a, b) {
    return Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
        Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
}

/** Chooses a side for each label; one that fits nowhere stays hidden (its title tells). */
function placeLabels(marks, size) {
    const taken = marks.map((m) => ({left: m.x - 12, right: m.x + 12, top: m.y - 12, bottom: m.y + 12}));
    for (const mark of marks) {
        const w = mark.label_width;
        const sides = [
            {anchor: "start", x: 16, y: 5, left: mark.x + 14, top: mark.y - 11},
            {anchor: "end", x: -16, y: 5, left: mark.x - 14 - w, top: mark.y - 11},
            {anchor: "middle", x: 0, y: -17, left: mark.x - w / 2, top: mark.y - 33},
            {anchor: "middle", x: 0, y: 27, left: mark.x - w / 2, top: mark.y + 11},
        ].map((side) => {
            const box = {left: side.left, right: side.left + w, top: side.top, bottom: side.top + 22};
            const outside = box.left < 0 || box.right > size.width || box.top < 0 ||
                box.bottom > size.height;
            const cost = taken.reduce((sum, other) => sum + overlap(box, other), 0);
            return {...side, box, cost: cost + (outside ? 1e4 : 0)};
        });
        const best = sides.reduce((a, b) => (b.cost < a.cost ? b : a));
        mark.side = best.cost < 1e4 && best.cost < w * 5 ? best : null;
        if (mark.side !== null) {
            taken.push(best.box);
        }
    }
}

export class WorldMap {
    /** `chosen(region)` when one is activated. */
    constructor(chosen) {
        this.svg = byId("map").querySelector("svg");
        this.marks = new Keyed(byId("marks"), (mark) => mark.region.name,
            (mark) => this.make(mark, chosen));
        this.last = null;
        new ResizeObserver(() => this.last && this.show(...this.last)).observe(byId("map"));
        byId("legend").replaceChildren(...Object.entries(STATES).map(
            ([state, word]) => el("span", {}, shape(state), word)));
    }

    show(status, rates) {
        this.last = [status, rates];
        const regions = byRegion(status).filter((region) => region.location);
        const view = frame(regions);
        setAttribute(this.svg, "viewBox", `${view.x} ${view.y} ${view.width} ${view.height}`);
        const width = byId("map").clientWidth || 800;
        const unit = view.width / width;
        const size = {width, height: width / ASPECT};
        this.svg.style.setProperty("--unit", unit);
        const all = regions.flatMap((r) => r.endpoints).reduce((sum, e) => sum + (rates.now(e.name) ?? 0), 0);
        const marks = regions.map((region) => {
            const states = region.endpoints.map(endpointState);
            const state = region.endpoints.length > 0 ? together(states) :
                stateOf(region.override?.state, []);
            const rate = region.endpoints.reduce((sum, e) => sum + (rates.now(e.name) ?? 0), 0);
            const truth = {x: (region.location[1] * 10 - view.x) / unit,
                           y: (-region.location[0] * 10 - view.y) / unit};
            return {region, states, state, unit, truth, ...truth, view,
                    share: all > 0 ? rate / all : 0,
                    label_width: region.name.length * 7.6 + 6};
        });
        spread(marks);
        placeLabels(marks, size);
        this.marks.show(marks);
    }

    make(mark, chosen) {
        const title = svg("title", {});
        const halo = svg("circle", {class: "halo"});
        const lead = svg("path", {class: "lead"});
        const sign = shape(mark.state);
        for (const [name, value] of Object.entries({x: -10, y: -10, width: 20, height: 20})) {
            sign.setAttribute(name, value);
        }
        const satellites = svg("g", {class: "satellites"});
        const label = svg("text", {});
        const link = svg("a", {href: "#endpoints", class: "mark",
            on: {click: (event) => {
                event.preventDefault();
                chosen(mark.region.name);
            }}}, title, halo, lead, svg("circle", {class: "focus", r: 14}), sign, satellites, label);
        const around = new Keyed(satellites, (one) => one.i, () => {
            const node = shape("up");
            return {node, update: (one) => {
                setShape(node, one.state);
                for (const [name, value] of Object.entries({x: one.x - 4, y: one.y - 4, width: 8, height: 8})) {
                    setAttribute(node, name, value);
                }
            }};
        });
        const update = (now) => {
            const up = now.states.filter(serves).length;
            const words = `${now.region.name}: ${STATES[now.state]}, ` +
                `${up} of ${plural(now.states.length, "endpoint")} in service` +
                (now.share > 0 ? `, ${Math.round(now.share * 100)} % of the answers` : "");
            setText(title, words);
            setAttribute(link, "aria-label", words);
            setShape(sign, now.state);
            setAttribute(link, "transform", `translate(${now.view.x + now.x * now.unit} ` +
                `${now.view.y + now.y * now.unit}) scale(${now.unit})`);
            setAttribute(halo, "r", now.share > 0 ? 12 + 22 * Math.sqrt(now.share) : 0);
            const [dx, dy] = [now.truth.x - now.x, now.truth.y - now.y];
            setAttribute(lead, "d", Math.hypot(dx, dy) > 6 ? `M0 0L${dx} ${dy}` : "");
            setText(label, now.side === null ? "" : now.region.name);
            setAttribute(label, "x", now.side?.x ?? 0);
            setAttribute(label, "y", now.side?.y ?? 0);
            setAttribute(label, "class", now.side?.anchor ?? "start");
            const few = now.states.length > 1 && now.states.length <= MOST_SATELLITES;
            around.show(!few ? [] : now.states.map((state, i) => {
                const turn = (i / now.states.length) * 2 * Math.PI - Math.PI / 2;
                return {i, state, x: 15 * Math.cos(turn), y: 15 * Math.sin(turn)};
            }));
        };
        return {node: link, update};
    }
}
