// steerd forecast: which share of the clients each endpoint gets before and after an outage or a
// change of configuration (product.md §2, §9). The shares come from the tables that serve.
#include "policy/forecast.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/command.h"
#include "cli/files.h"
#include "cli/forecast_demand.h"
#include "cli/forecast_html.h"
#include "cli/json.h"
#include "cli/suppose.h"
#include "server/loader.h"

namespace steerd::cli {

namespace {

/// One configuration under one health.
struct Side {
    server::LoadedPlan loaded;
    std::shared_ptr<const policy::HealthState> health;
    policy::SteeredId steered{};
};

server::LoadedPlan load(const std::filesystem::path& file, const server::LoadedPlan* like) {
    server::LoadOptions options;
    if (like != nullptr) {
        // Where nothing about places changed, the world is taken over.
        options.previous = like->plan;
        options.previous_geo_key = like->geo_key;
    }
    auto loaded = server::load_plan(file, options);
    for (const auto& problem : loaded.problems.all()) {
        if (problem.severity == base::Severity::Error) {
            fmt::print(stderr, "{}\n", problem.text());
        }
    }
    if (loaded.plan == nullptr || loaded.problems.has_errors()) {
        throw Failure(fmt::format("{} cannot be served as it is", file.string()));
    }
    return loaded;
}

/// What was asked of both sides.
struct Question {
    dns::Name name;
    policy::Ask ask{};
};

Side make_side(server::LoadedPlan loaded, const std::string& file,
               const std::vector<std::string>& down, const Question& question) {
    Side out;
    out.loaded = std::move(loaded);
    auto facts = policy::all_up(*out.loaded.plan);
    for (const auto& target : down) {
        suppose_down(*out.loaded.plan, target, facts);
    }
    out.health = policy::compile_health(*out.loaded.plan, facts);
    const auto steered = policy::find_steered(*out.loaded.plan, question.name, question.ask);
    if (!steered) {
        throw Failure(fmt::format("{} is no steered name of {}", question.name.to_text(), file));
    }
    out.steered = *steered;
    return out;
}

dns::Name name_of(const Args& args) {
    const auto text = args.value("--name");
    if (!text) {
        throw UsageError("--name NAME is missing");
    }
    const auto name = dns::Name::parse(*text);
    if (!name) {
        throw UsageError(fmt::format("bad name \"{}\": {}", *text, name.error()));
    }
    return *name;
}

policy::Ask ask_of(const Args& args) {
    const auto type = args.value("--type").value_or("A");
    if (type != "A" && type != "AAAA") {
        throw UsageError(fmt::format("--type must be A or AAAA, got \"{}\"", type));
    }
    return type == "A" ? policy::Ask::A : policy::Ask::Aaaa;
}

Json amounts_json(const policy::Forecast& f, const policy::Amounts& amounts) {
    Json out = Json::object();
    const double total = f.total > 0 ? f.total : 1;
    for (std::size_t i = 0; i < f.endpoints.size(); ++i) {
        out[f.endpoints[i].name] = amounts.endpoints[i] / total;
    }
    // What is no endpoint's: only where there is any, so that the shares add up to 1.
    if (amounts.none > 0) {
        out["none"] = amounts.none / total;
    }
    if (amounts.unknown > 0) {
        out["unknown"] = amounts.unknown / total;
    }
    return out;
}

std::vector<ForecastCountry> by_country(const policy::Forecast& f) {
    std::map<std::string, ForecastCountry> found;
    for (const auto& place : f.places) {
        const std::string code = place.country ? std::string(place.country->view()) : "??";
        ForecastCountry& country = found[code];
        country.code = code;
        country.weight += place.weight;
        country.moved += place.moved;
    }
    std::vector<ForecastCountry> out;
    for (auto& [code, country] : found) {
        out.push_back(std::move(country));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.moved > b.moved; });
    return out;
}

Json to_json(const ForecastReport& report) {
    const auto& f = report.forecast;
    const double total = f.total > 0 ? f.total : 1;
    Json warnings = Json::array();
    for (const std::size_t i : overloaded(report)) {
        warnings.push_back({{"endpoint", f.endpoints[i].name},
                            {"capacity", *f.endpoints[i].capacity},
                            {"before", f.before.endpoints[i]},
                            {"after", f.after.endpoints[i]}});
    }
    Json countries = Json::array();
    for (const auto& country : report.countries) {
        if (country.moved > 0) {
            countries.push_back(
                {{"country", country.code == "??" ? Json(nullptr) : Json(country.code)},
                 {"share", country.weight / total},
                 {"moved", country.moved / total}});
        }
    }
    Json out = {{"name", report.name},
                {"type", report.type},
                {"by", report.by_demand ? "demand" : "address space"},
                {"unit", report.unit},
                {"total", f.total},
                {"before", amounts_json(f, f.before)},
                {"after", amounts_json(f, f.after)},
                {"unknown", f.after.unknown / total},
                {"moved", f.moved / total},
                {"moved_by_country", std::move(countries)},
                {"warnings", std::move(warnings)},
                {"prefixes", f.prefixes},
                {"fail_open", f.after.fail_open / total},
                {"sampled", f.sampled > 0}};
    return out;
}

void print_row(const ForecastReport& report, std::string_view name, std::string_view region,
               double before, double after) {
    const double total = report.forecast.total > 0 ? report.forecast.total : 1;
    const double change = std::round((after - before) / total * 1e4) / 100 + 0.0;  // never -0.00
    fmt::print("  {:<24} {:<14} {:>7.2f} % {:>7.2f} % {:>+8.2f}", name, region,
               before / total * 100, after / total * 100, change);
    if (report.by_demand) {
        fmt::print(" {:>12.1f} {:>12.1f}", before, after);
    }
    fmt::print("\n");
}

/// Most of IPv6 stands nowhere: what moves is little of all and yet may be much of what is used.
std::string of_the_known(const policy::Forecast& f) {
    const double known = f.total - std::max(f.before.unknown, f.after.unknown);
    return known < 0.995 * f.total && known > 0
               ? fmt::format(", {:.2f} % of those whose place is known", f.moved / known * 100)
               : "";
}

void print_text(const ForecastReport& report) {
    const auto& f = report.forecast;
    const double total = f.total > 0 ? f.total : 1;
    fmt::print("{} {}, by {} ({:.0f} {})\nafter: {}\n\n", report.name, report.type,
               report.by_demand ? "demand" : "address space", f.total, report.unit, report.change);
    fmt::print("  {:<24} {:<14} {:>9} {:>9} {:>8}{}\n", "endpoint", "region", "before", "after",
               "change", report.by_demand ? "   before req/s  after req/s" : "");
    for (std::size_t i = 0; i < f.endpoints.size(); ++i) {
        print_row(report, f.endpoints[i].name, f.endpoints[i].region, f.before.endpoints[i],
                  f.after.endpoints[i]);
    }
    if (f.before.none > 0 || f.after.none > 0) {
        print_row(report, "(no answer)", "", f.before.none, f.after.none);
    }
    if (f.before.unknown > 0 || f.after.unknown > 0) {
        print_row(report, "(unknown place)", "", f.before.unknown, f.after.unknown);
    }
    fmt::print("\nmoved: {:.2f} % of {}{}\n", f.moved / total * 100,
               report.by_demand ? "the demand" : "the clients", of_the_known(f));
    std::size_t shown = 0;
    for (const auto& country : report.countries) {
        if (country.moved / total < 0.00005 || shown++ == 10) {
            break;  // the rest would show as nothing
        }
        fmt::print("  {:<4} {:>6.2f} % of all, {:>5.1f} % of the country's\n", country.code,
                   country.moved / total * 100, country.moved / country.weight * 100);
    }
    if (f.sampled > 0) {
        fmt::print(
            "(for {:.2f} % a hash of the prefix takes part: some of their prefixes were "
            "looked at)\n",
            f.sampled / total * 100);
    }
    for (const auto& warning : warnings_of(report)) {
        fmt::print("warning: {}\n", warning);
    }
}

std::string change_text(const Args& args) {
    std::string out;
    if (const auto file = args.value("--config-after")) {
        out = "the configuration " + *file;
    }
    const auto down = args.values("--down");
    if (!down.empty()) {
        out += fmt::format("{}{} down", out.empty() ? "" : ", ", fmt::join(down, ", "));
    }
    return out.empty() ? "nothing changes" : out;
}

ForecastReport make_report(const Args& args, const Side& before, const Side& after,
                           policy::Ask ask) {
    ForecastReport report;
    std::vector<policy::DemandRow> demand;
    policy::ForecastInput input{.before = {*before.loaded.plan, *before.health, before.steered},
                                .after = {*after.loaded.plan, *after.health, after.steered},
                                .ask = ask,
                                .now = base::RealClock().now().mono,  // nothing is under way
                                .demand = {},
                                .map = args.has("--html")};
    if (const auto file = args.value("--demand")) {
        demand = read_demand(*file);
        input.demand = demand;
        report.by_demand = true;
    }
    report.type = ask == policy::Ask::A ? "A" : "AAAA";
    report.unit = report.by_demand        ? "requests/s"
                  : ask == policy::Ask::A ? "public IPv4 addresses"
                                          : "public IPv6 /48s";
    report.change = change_text(args);
    report.forecast = policy::forecast(input);
    report.countries = by_country(report.forecast);
    for (const auto& region : after.loaded.plan->model->regions) {
        report.regions.emplace_back(region.name, region.location);
    }
    return report;
}

}  // namespace

std::vector<std::size_t> overloaded(const ForecastReport& report) {
    const auto& f = report.forecast;
    std::vector<std::size_t> out;
    for (std::size_t i = 0; report.by_demand && i < f.endpoints.size(); ++i) {
        const auto& capacity = f.endpoints[i].capacity;
        if (capacity && f.after.endpoints[i] > *capacity &&
            f.after.endpoints[i] > f.before.endpoints[i] * (1 + 1e-9)) {
            out.push_back(i);
        }
    }
    return out;
}

std::vector<std::string> warnings_of(const ForecastReport& report) {
    const auto& f = report.forecast;
    std::vector<std::string> out;
    for (const std::size_t i : overloaded(report)) {
        out.push_back(fmt::format("{} would get {:.1f} requests/s, its capacity is {:g}",
                                  f.endpoints[i].name, f.after.endpoints[i],
                                  *f.endpoints[i].capacity));
    }
    if (f.after.fail_open > 0) {
        out.push_back(fmt::format(
            "nothing would be available for {:.2f} % of {}: these are the "
            "answers of when_all_down",
            f.after.fail_open / f.total * 100, report.by_demand ? "the demand" : "the clients"));
    }
    return out;
}

int run_forecast(const Args& args) {
    args.expect_positional(0);
    const Question question{name_of(args), ask_of(args)};
    const auto down = args.values("--down");
    const std::string config = config_path(args).string();
    const auto other = args.value("--config-after");
    const Side before = make_side(load(config, nullptr), config, {}, question);
    const Side after = other ? make_side(load(*other, &before.loaded), *other, down, question)
                             : make_side(server::LoadedPlan(before.loaded), config, down, question);
    auto report = make_report(args, before, after, question.ask);
    report.name = question.name.to_text();
    if (const auto file = args.value("--html")) {
        write_file(*file, forecast_html(report));
    }
    if (args.has("--json")) {
        fmt::print("{}\n", to_json(report).dump(2, ' ', false, Json::error_handler_t::replace));
    } else {
        print_text(report);
    }
    return kOk;
}

}  // namespace steerd::cli
