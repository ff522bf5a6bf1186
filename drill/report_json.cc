// See report_json.h.
#include "drill/report_json.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "drill/report_validation.h"
#include "drill/report_words.h"

namespace steerd::drill {

namespace {

using Json = nlohmann::ordered_json;

/// Nine digits: exact enough for any figure, without the noise behind them.
Json number(double value) {
    if (value == 0 || !std::isfinite(value)) {
        return std::isfinite(value) ? Json(0.0) : Json(nullptr);
    }
    const double scale = std::pow(10.0, 8 - std::floor(std::log10(std::abs(value))));
    const double rounded = std::round(value * scale) / scale;
    return std::isfinite(rounded) ? Json(rounded) : Json(value);
}

Json number(const std::optional<double>& value) { return value ? number(*value) : Json(nullptr); }

Json quantiles(const Quantiles& moved) {
    return {{"p50", number(moved.p50)},
            {"p90", number(moved.p90)},
            {"p95", number(moved.p95)},
            {"p99", number(moved.p99)}};
}

Json residual(const Residual& left) {
    return {{"15m", number(left.after_15m)},
            {"1h", number(left.after_1h)},
            {"1d", number(left.after_1d)}};
}

Json event_json(const EventFigures& event) {
    Json out = {{"at_s", number(event.at_s)},
                {"do", event.what},
                {"target", event.target},
                {"takes_out", event.takes_out},
                {"first_failed_s", number(event.first_failed_s)},
                {"detect_s", number(event.detect_s)},
                {"switch_s", number(event.switch_s)},
                {"clients_moved_s", quantiles(event.moved)},
                {"residual", residual(event.residual)},
                {"error_seconds_per_client", number(event.error_seconds_per_client)},
                {"requests_lost", event.requests_lost},
                {"requests", event.requests},
                {"share_on_it", number(event.share_on_it)},
                {"switch_back_s", number(event.switch_back_s)},
                {"flaps", event.flaps}};
    Json classes = Json::object();
    for (const auto& [name, figures] : event.by_class) {
        Json one = quantiles(figures.moved);
        one["residual"] = residual(figures.residual);
        classes[name] = std::move(one);
    }
    out["by_class"] = std::move(classes);
    return out;
}

Json load_json(const Results& results) {
    Json out = Json::object();
    for (const auto& [name, load] : results.load) {
        out[name] = {{"before_qps", number(load.before_qps)},
                     {"peak_qps", number(load.peak_qps)},
                     {"capacity", number(load.capacity)}};
    }
    return out;
}

Json curve_json(const Results& results) {
    Json out = Json::array();
    for (const CurvePoint& point : results.curve) {
        Json classes = Json::object();
        for (std::size_t i = 0; i < point.by_class.size(); ++i) {
            classes[results.classes[i]] = number(point.by_class[i]);
        }
        Json load = Json::object();
        for (std::size_t i = 0; i < point.load_qps.size(); ++i) {
            if (results.load.contains(results.endpoints[i])) {
                load[results.endpoints[i]] = number(point.load_qps[i]);
            }
        }
        out.push_back({{"t_s", number(point.t_s)},
                       {"clients_on_dead", number(point.clients_on_dead)},
                       {"by_class", std::move(classes)},
                       {"load_qps", std::move(load)},
                       {"authoritative_qps", number(point.authoritative_qps)}});
    }
    return out;
}

Json sweep_json(const std::vector<SweepPoint>& points) {
    Json out = Json::array();
    for (const SweepPoint& point : points) {
        out.push_back(
            {{"ttl_s", point.ttl_s},
             {"ttl_min_s", point.ttl_min_s ? Json(*point.ttl_min_s) : Json(nullptr)},
             {"interval_s", point.interval_s > 0 ? number(point.interval_s) : Json(nullptr)},
             {"fall", point.fall},
             {"authoritative_qps", number(point.authoritative_qps)},
             {"detect_s", number(point.detect_s)},
             {"switch_s", number(point.switch_s)},
             {"clients_moved_s",
              {{"p50", number(point.p50_s)},
               {"p95", number(point.p95_s)},
               {"p99", number(point.p99_s)}}},
             {"residual_15m", number(point.residual_15m)},
             {"error_seconds_per_client", number(point.error_seconds_per_client)},
             {"requests_lost", point.requests_lost},
             {"lost_share", number(point.lost_share)},
             {"pareto", point.pareto},
             {"note", point.note}});
    }
    return out;
}

Json countdown_json(const Results& results) {
    Json events = Json::array();
    for (const CountdownEvent& event : results.countdown->events) {
        Json classes = Json::object();
        for (const auto& [name, p99] : event.p99_by_class) {
            classes[name] = {{"countdown_p99", number(p99[0])}, {"fixed_p99", number(p99[1])}};
        }
        const EventFigures& of = results.events[event.event];
        events.push_back({{"at_s", number(of.at_s)},
                          {"target", of.target},
                          {"window_s", number(event.window_s)},
                          {"countdown", quantiles(event.counting)},
                          {"fixed", quantiles(event.fixed)},
                          {"by_class", std::move(classes)}});
    }
    return {{"ttl_s", results.countdown->ttl_s},
            {"ttl_min_s", results.countdown->ttl_min_s},
            {"after_switch_s", std::move(events)}};
}

std::string_view unit_word(Unit unit) {
    switch (unit) {
        case Unit::Seconds:
            return "s";
        case Unit::Percent:
            return "%";
        case Unit::Count:
            return "";
    }
    return "";
}

}  // namespace

std::string report_json(const Report& report) {
    const Results& results = report.results;
    Json out = {
        {"seed", results.seed},
        {"mode", results.mode},
        {"scenario", report.scenario},
        {"name", report.name},
        {"type", report.type},
        {"duration_s", number(report.duration_s)},
        {"population", report.population.empty() ? Json(nullptr) : Json(report.population)}};
    Json events = Json::array();
    for (const EventFigures& event : results.events) {
        events.push_back(event_json(event));
    }
    out["events"] = std::move(events);
    out["load"] = load_json(results);
    out["authoritative_qps"] = {{"before", number(results.authoritative_before_qps)},
                                {"during", number(results.authoritative_during_qps)},
                                {"after", number(results.authoritative_after_qps)}};
    out["switches"] = results.switches;
    Json verdicts = Json::array();
    for (const Verdict& verdict : report.verdicts) {
        verdicts.push_back({{"key", verdict.key},
                            {"limit", verdict.limit},
                            {"value", number(verdict.value)},
                            {"unit", unit_word(verdict.unit)},
                            {"ok", verdict.ok}});
    }
    out["expect"] = std::move(verdicts);
    Json regions = Json::array();
    for (const RegionFigures& region : results.regions) {
        regions.push_back({{"place", region.place},
                           {"qps", number(region.qps)},
                           {"rtt_before_ms", number(region.rtt_before_ms)},
                           {"rtt_during_ms", number(region.rtt_during_ms)},
                           {"requests_lost", region.requests_lost}});
    }
    out["regions"] = std::move(regions);
    if (report.validation) {
        add_validation_json(*report.validation, out);
    }
    if (!report.sweep.empty()) {
        out["sweep"] = sweep_json(report.sweep);
    }
    if (results.countdown) {
        out["countdown"] = countdown_json(results);
    }
    Json meant = Json::object();
    for (const Meaning& meaning : meanings()) {
        meant[std::string(meaning.figure)] = meaning.text;
    }
    out["meaning"] = std::move(meant);
    out["assumptions"] = results.assumptions;
    out["notes"] = results.notes;
    out["curve"] = curve_json(results);
    Json closed = Json::array();
    for (const CurvePoint& point : results.closed_form) {
        closed.push_back(
            {{"t_s", number(point.t_s)}, {"clients_on_dead", number(point.clients_on_dead)}});
    }
    out["closed_form"] = std::move(closed);
    return out.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace steerd::drill
