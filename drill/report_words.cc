// See report_words.h.
#include "drill/report_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/check.h"

namespace steerd::drill {

namespace {

constexpr std::array kMeanings{
    Meaning{"detect_s", "Detect",
            "Seconds from the event to the change of state of the last endpoint it takes out: the "
            "rest of the probe's phase, then (fall - 1) x max(fast_interval, d) + d, with d the "
            "time a failing check takes."},
    Meaning{"switch_s", "Switch",
            "Seconds from the event to the moment from which no authoritative answer names what "
            "it took out."},
    Meaning{"clients_moved_s", "50, 90, 95, 99 % moved",
            "Seconds until, of the demand that was on it at the event, the share still on it stays "
            "at or below 50, 10, 5 and 1 %. Assumes that clients do nothing of their own: no "
            "second address, no retry elsewhere."},
    Meaning{"residual", "Left after 15m, 1h, 1d",
            "Of the demand that was on it at the event, the share still on it 15 minutes, 1 hour "
            "and 1 day later: the tail that lives by the TTL and by those who ignore it. Never "
            "one figure for \"all\", since there are always some who stay."},
    Meaning{"requests_lost", "Lost",
            "Requests sent to what was dead, or without an answer to go to, of all demand from the "
            "event to the next recovery or the end."},
    Meaning{"error_seconds_per_client", "Errors per client",
            "Lost requests over the rate of the demand that was on it (of all demand, where it is "
            "the server): how many seconds of errors one of its clients met, in the mean."},
    Meaning{"switch_back_s", "Back after",
            "Seconds from its recovery until the server answers everyone as before the event; "
            "caches follow within their TTL."},
    Meaning{"flaps", "Flaps",
            "How often, between the event and its recovery, an answer that had left its endpoints "
            "named one of them anew."},
    Meaning{"clients_on_dead", "Clients on what is out",
            "The share of all demand whose cached answer sends it to what an event holds out, all "
            "events together."},
    Meaning{"load", "Load",
            "Requests per second at each endpoint; each question stands for one request, spread "
            "evenly over the endpoints of an answer."},
    Meaning{"authoritative_qps", "Queries at the server",
            "Fetches of resolvers at the server: from the start to the first event, from there to "
            "the last recovery (or the last switch where nothing recovers), and after it."},
    Meaning{"regions", "Round trips",
            "Round trips are the estimates that steer (measured rows, else the model by "
            "distance), in the mean over requests. Assumes that load adds no delay."},
    Meaning{"closed_form", "Closed form",
            "The same curve by formula alone, with nothing of the simulation: renewal of caches "
            "that are asked at random moments. Only where the formula applies."},
    Meaning{"countdown", "Moved",
            "Seconds after the switch until the share still there stays at or below 50, 10, 5 and "
            "1 %, in this drill and in the same drill without ttl_min."},
    Meaning{"sweep", "Queries, detect, moved, lost, errors",
            "Queries per second at the server before the first event against what the worst event "
            "does to clients. Pareto: no other choice costs less and moves clients at least as "
            "fast with no more lost."},
};

}  // namespace

std::span<const Meaning> meanings() noexcept { return kMeanings; }

const Meaning& meaning_of(std::string_view figure) {
    const auto* found =
        std::find_if(kMeanings.begin(), kMeanings.end(),
                     [&](const Meaning& meaning) { return meaning.figure == figure; });
    CHECK(found != kMeanings.end());
    return *found;
}

std::string moment_text(double seconds) {
    // Tenths of a second are as fine as figures are read.
    auto tenths = std::llround(seconds * 10);
    std::string out;
    const auto take = [&](long long unit, const char* word) {
        if (tenths >= unit) {
            out += fmt::format("{}{}{}", out.empty() ? "" : " ", tenths / unit, word);
            tenths %= unit;
        }
    };
    take(864'000, "d");
    take(36'000, "h");
    take(600, "m");
    if (tenths % 10 != 0) {
        return fmt::format("{}{}{}.{}s", out, out.empty() ? "" : " ", tenths / 10, tenths % 10);
    }
    take(10, "s");
    return out.empty() ? "0" : out;
}

std::string seconds_text(const std::optional<double>& seconds) {
    return seconds ? fmt::format("{:.1f} s", *seconds) : "-";
}

std::string percent_text(double share) {
    const double percent = share * 100;
    const int digits = percent == 0 || percent >= 10 ? 0 : percent >= 1 ? 1 : 2;
    return fmt::format("{:.{}f} %", percent, digits);
}

std::string percent_text(const std::optional<double>& share) {
    return share ? percent_text(*share) : "-";
}

std::string count_text(double value) {
    if (value >= 1e9) {
        return fmt::format("{:.1f}G", value / 1e9);
    }
    if (value >= 1e6) {
        return fmt::format("{:.1f}M", value / 1e6);
    }
    if (value >= 1e4) {
        return fmt::format("{:.1f}k", value / 1e3);
    }
    return value >= 100 || value == std::floor(value) ? fmt::format("{:.0f}", value)
                                                      : fmt::format("{:.1f}", value);
}

std::string rate_text(const std::optional<double>& per_second) {
    return per_second ? count_text(*per_second) + "/s" : "-";
}

std::vector<std::string> classes_of(const Results& results, const EventFigures& event) {
    std::vector<std::string> out;
    for (const std::string& name : results.classes) {
        if (event.by_class.contains(name)) {
            out.push_back(name);
        }
    }
    return out;
}

std::string countdown_text(const CountdownFigures& countdown, const CountdownEvent& event) {
    if (!event.window_s) {
        return "No check failed before the switch, so there was nothing to count down to.";
    }
    if (countdown.ttl_s <= *event.window_s) {
        return fmt::format(
            "From the first failed check to the switch took {:.1f} s, longer than the TTL of {} s "
            "lives: caches that honour TTLs come back within 1 s of the switch.",
            *event.window_s, countdown.ttl_s);
    }
    return fmt::format(
        "From the first failed check to the switch took {:.1f} s; answers given just before it "
        "live for up to {:.1f} s after the switch. A TTL of at most {} s would be gone by then.",
        *event.window_s, countdown.ttl_s - *event.window_s,
        std::max(1.0, std::floor(*event.window_s)));
}

std::string event_text(const EventFigures& event) {
    return fmt::format("{} of {}", event.what, event.target);
}

double window_of(const Report& report, const EventFigures& event) {
    double end = report.duration_s;
    for (const EventFigures& other : report.results.events) {
        if (other.at_s > event.at_s && !other.takes_out) {
            end = std::min(end, other.at_s);
        }
    }
    const double length = end - event.at_s;
    return event.moved.p99 ? std::min(length, std::max(30.0, *event.moved.p99 * 1.3)) : length;
}

double lost_share(const EventFigures& event) {
    return event.requests == 0
               ? 0
               : static_cast<double>(event.requests_lost) / static_cast<double>(event.requests);
}

std::string headline(const Report& report) {
    return fmt::format("{} {}, {} of {} time, seed {}{}", report.name, report.type,
                       moment_text(report.duration_s), report.results.mode, report.results.seed,
                       report.population.empty() ? "" : ", population " + report.population);
}

std::string dashed(const std::string& sentence, std::size_t width) {
    std::string out = "  -";
    std::size_t column = 3;
    for (std::size_t at = 0; at < sentence.size();) {
        const std::size_t end = std::min(sentence.find(' ', at), sentence.size());
        if (column + 1 + (end - at) > width && column > 3) {
            out += "\n   ";
            column = 3;
        }
        out += " " + sentence.substr(at, end - at);
        column += 1 + end - at;
        at = end + 1;
    }
    return out + "\n";
}

}  // namespace steerd::drill
