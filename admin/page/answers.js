// Answers per endpoint over the last minutes: stacked areas, the busiest first, and beside them
// what each gets now. Transitions in that time are marked.
import {byId, el, setText, svg} from "./dom.js";
import {plural, rate, span} from "./words.js";

const SERIES = 7;
const [HEIGHT, LEFT, BOTTOM, TOP] = [240, 52, 22, 8];
const LEAST_SPAN_MS = 120000;

function niceTop(most) {
    const ten = 10 ** Math.floor(Math.log10(most));
    return [1, 2, 3, 4, 6, 8, 10].map((n) => n * ten).find((n) => n >= most);
}

/** The busiest by name, the rest as one. */
function choose(status, rates) {
    const all = status.endpoints.map((endpoint) => ({
        name: endpoint.name, points: rates.series(endpoint.name)}));
    const sum = (series) => series.points.reduce((total, point) => total + point.rate, 0);
    const ranked = all.map((series) => ({...series, sum: sum(series)}))
        .filter((series) => series.sum > 0).sort((a, b) => b.sum - a.sum);
    const top = ranked.slice(0, SERIES);
    const rest = ranked.slice(SERIES);
    if (rest.length > 0) {
        top.push({name: plural(rest.length, "other"), points: rest[0].points.map((point, i) => ({
            at: point.at, rate: rest.reduce((total, series) => total + series.points[i].rate, 0)}))});
    }
    return top;
}

export function showAnswers(status, rates, events, now) {
    const box = byId("answers");
    const series = choose(status, rates);
    const points = rates.samples;
    if (points.length < 2) {
        box.replaceChildren(el("p", {class: "empty"}, "Counting begins; a moment, please."));
        return;
    }
    const width = Math.max(280, box.clientWidth);
    const end = points.at(-1).at;
    const begin = Math.min(points[0].at, end - LEAST_SPAN_MS);
    setText(byId("answers-span"), `last ${span((end - begin) / 1000)}, per second`);
    if (series.length === 0) {
        box.replaceChildren(el("p", {class: "empty"},
            `No steered name was asked for in the last ${span((end - points[0].at) / 1000)}.`));
        return;
    }
    const times = series[0].points.map((point) => point.at);
    const total = times.map((_, i) => series.reduce((sum, one) => sum + one.points[i].rate, 0));
    const top = niceTop(Math.max(...total, 1));
    const x = (at) => LEFT + ((at - begin) / (end - begin)) * (width - LEFT - 6);
    const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
    const drawing = svg("svg", {class: "chart", width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img",
        "aria-label": "Answers per second: " +
            series.map((one) => `${one.name} ${rate(one.points.at(-1).rate)}`).join(", ")});
    for (const part of [0, 0.5, 1]) {
        drawing.append(svg("path", {class: "grid", d: `M${LEFT} ${y(part * top)}H${width - 6}`}),
            svg("text", {class: "end", x: LEFT - 6, y: y(part * top) + 4}, rate(part * top)));
    }
    const floor = times.map(() => 0);
    series.forEach((one, index) => {
        const lower = [...floor];
        one.points.forEach((point, i) => { floor[i] += point.rate; });
        const steps = (values) => times.map((at, i) => [i === 0 ? points[0].at : times[i - 1], at, values[i]])
            .flatMap(([from, to, value]) => [[x(from), y(value)], [x(to), y(value)]]);
        const outline = [...steps(floor), ...steps(lower).reverse()]
            .map(([px, py]) => `${px.toFixed(1)} ${py.toFixed(1)}`).join("L");
        drawing.append(svg("path", {class: `area s${index}`, d: `M${outline}Z`}));
    });
    for (const event of events.filter((e) => e.kind === "transition" || e.kind === "order")) {
        const at = end - (now - event.ms);
        if (at > begin) {
            drawing.append(svg("path", {class: "moment", d: `M${x(at).toFixed(1)} ${TOP}V${HEIGHT - BOTTOM}`},
                svg("title", {}, `${event.name}: ${event.state}`)));
        }
    }
    drawing.append(svg("text", {class: "start", x: LEFT, y: HEIGHT - 5}, `${span((end - begin) / 1000)} ago`),
        svg("text", {class: "end", x: width - 6, y: HEIGHT - 5}, "now"));
    const legend = el("ul", {class: "series"}, ...series.map((one, index) => el("li", {},
        el("i", {class: `patch s${index}`}), el("span", {class: "name"}, one.name),
        el("b", {}, rate(one.points.at(-1).rate)))));
    box.replaceChildren(drawing, legend);
}

/** A small one without axes, for a row. */
export function sparkline() {
    const line = svg("path", {class: "spark-line"});
    const node = svg("svg", {class: "spark", viewBox: "0 0 80 18", "aria-hidden": "true"}, line);
    return {node, update: (points) => {
        const last = points.slice(-40);
        const most = Math.max(...last.map((point) => point.rate), 1e-9);
        const step = 80 / 39;
        const start = 80 - (last.length - 1) * step;
        line.setAttribute("d", last.length < 2 ? "" : "M" + last.map((point, i) =>
            `${(start + i * step).toFixed(1)} ${(16.5 - 15 * point.rate / most).toFixed(1)}`).join("L"));
    }};
}
