// Events as they happen to real processes, and what the server says of them.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <set>
#include <utility>

#include "base/text.h"
#include "drill/live_world.h"

namespace steerd::drill {

using base::Mono;
using config::index;

namespace {

constexpr base::Duration kAdminPatience = std::chrono::seconds(2);
constexpr base::Duration kWordPatience = std::chrono::seconds(30);

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const auto octet = static_cast<unsigned char>(c);
        if (std::isalnum(octet) != 0 || c == '-' || c == '_' || c == '.' || c == ':') {
            out += c;
        } else {
            out += fmt::format("%{:02X}", octet);
        }
    }
    return out;
}

std::uint32_t whole_ms(base::Duration duration) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(duration).count());
}

}  // namespace

std::vector<std::size_t> LiveWorld::sites_of(std::size_t event) const {
    std::set<std::size_t> out;
    for (const auto endpoint : bound_.endpoints[event]) {
        for (const auto& address : layout_.endpoints[index(endpoint)].live) {
            for (std::size_t i = 0; i < sites_.size(); ++i) {
                if (sites_[i]->plan().address == address) {
                    out.insert(i);
                }
            }
        }
    }
    return {out.begin(), out.end()};
}

void LiveWorld::remark(const ScenarioEvent& event, const std::string& what) {
    notes_.push_back(fmt::format("{} of {} at {}: {}", to_text(event.kind), event.target,
                                 base::format_duration(event.at), what));
}

void LiveWorld::heed(const std::optional<std::string>& problem) {
    if (problem && failure_.empty()) {
        failure_ = *problem;
    }
}

void LiveWorld::happen(std::size_t number) {
    const ScenarioEvent& event = scenario_.events[number];
    if (event.on_server()) {
        on_server(event, number);
    } else if (event.kind == EventKind::Drain || event.kind == EventKind::Release) {
        order(event, number);
    } else if (event.kind == EventKind::Weight) {
        weigh(event, number);
    } else {
        on_endpoints(event, number);
    }
}

void LiveWorld::on_endpoints(const ScenarioEvent& event, std::size_t number) {
    truth_.apply(event, bound_.endpoints[number], now());
    for (const std::size_t i : sites_of(number)) {
        LiveSite& site = *sites_[i];
        // What was ends, but for a partition, which says nothing of the endpoint itself.
        if (event.kind != EventKind::Partition) {
            std::erase_if(flaps_, [&](const Flap& flap) { return flap.site == i; });
        }
        if (event.kind != EventKind::Kill && event.kind != EventKind::Partition &&
            event.kind != EventKind::Flap) {
            heed(site.recover());
        }
        switch (event.kind) {
            case EventKind::Kill:
                site.kill();
                break;
            case EventKind::Blackhole:
                site.freeze();
                break;
            case EventKind::Slow:
                heed(site.behave({whole_ms(event.delay), 0, Cut::None}));
                break;
            case EventKind::Gray:
                heed(site.behave(
                    {whole_ms(event.delay), static_cast<float>(event.fail), Cut::None}));
                break;
            case EventKind::Partition:
                heed(site.behave({0, 0, Cut::Probes}));
                break;
            case EventKind::Flap: {
                Flap flap{i, now(), event.period, {}, now(), false};
                flap.dead = base::Duration(static_cast<base::Duration::rep>(
                    static_cast<double>(event.period.count()) * event.duty));
                flaps_.push_back(flap);
                break;
            }
            default:
                break;
        }
    }
    flap(now());
}

/// The first part of each period it is killed, and started again for the rest.
void LiveWorld::flap(Mono at) {
    for (Flap& flap : flaps_) {
        while (flap.next <= at) {
            LiveSite& site = *sites_[flap.site];
            const auto into = (flap.next - flap.since) % flap.period;
            if (into < flap.dead) {
                site.kill();
                flap.next += flap.dead - into;
            } else {
                heed(site.recover());
                flap.next += flap.period - into;
            }
        }
    }
}

Mono LiveWorld::next() const noexcept {
    Mono next = base::kNever;
    for (const Flap& flap : flaps_) {
        next = std::min(next, flap.next);
    }
    return next == base::kNever ? next : next + zero_.time_since_epoch();
}

void LiveWorld::on_server(const ScenarioEvent& event, std::size_t number) {
    if (event.kind == EventKind::Kill) {
        server_.kill();
        for (const Awaited& one : std::exchange(awaited_, {})) {
            if (one.word == "reload") {
                log_.in_force[one.event] = now();
                remark(scenario_.events[one.event], "in force when the server is back");
            }
        }
        hung_ = false;
        authority_.push_back({now(), Authority::Killed});
    } else if (event.kind == EventKind::Hang) {
        if (!server_.running()) {
            remark(event, "it was not running");
            return;
        }
        server_.signal(SIGSTOP);
        hung_ = true;
        authority_.push_back({now(), Authority::Hung});
    } else if (!server_.running()) {
        heed(write_config());
        awaited_.push_back(
            {number, "ready", server_.words().size(), clock_.now().mono + kWordPatience});
        heed(server_.start());
    } else if (hung_) {
        hung_ = false;
        server_.signal(SIGCONT);
        for (Awaited& one : awaited_) {
            one.deadline = clock_.now().mono + kWordPatience;
        }
        log_.in_force[number] = now();
        authority_.push_back({now(), Authority::Up});
    }
}

void LiveWorld::weigh(const ScenarioEvent& event, std::size_t number) {
    if (!set_weight(config_, event)) {
        remark(event, "the route has no such member");
        return;
    }
    heed(write_config());
    if (!server_.running() || hung_) {
        log_.in_force[number] = now();
        remark(event, "in force when the server is back");
    }
    if (server_.running()) {
        awaited_.push_back(
            {number, "reload", server_.words().size(), clock_.now().mono + kWordPatience});
        server_.signal(SIGHUP);
    }
}

void LiveWorld::order(const ScenarioEvent& event, std::size_t number) {
    if (!server_.running() || hung_) {
        remark(event, "not heard, the server was not running");
        return;
    }
    AdminCall call;
    call.socket = folder() / kAdminSocket;
    const bool drain = event.kind == EventKind::Drain;
    call.method = drain ? "PUT" : "DELETE";
    call.target = "/api/v1/overrides/" + percent_encoded(event.target);
    if (drain) {
        call.body = fmt::format(R"({{"state": "drain", "reason": "drill", "force": {}}})",
                                event.force ? "true" : "false");
    }
    if (const auto refused = call_admin(call, kAdminPatience)) {
        remark(event, *refused);
        return;
    }
    log_.in_force[number] = now();
    turns_.push_back(now());
}

void LiveWorld::believe(const TransitionWord& word, Mono at) {
    const auto health = health::parse_health(word.to);
    const auto address = base::IpAddress::parse(word.address);
    const auto& endpoints = bound_.plan->endpoints;
    for (std::size_t i = 0; health && address && i < endpoints.size(); ++i) {
        const LiveEndpoint& live = layout_.endpoints[i];
        if (endpoints[i].name != word.endpoint) {
            continue;
        }
        const auto found = std::find(live.live.begin(), live.live.end(), *address);
        if (found != live.live.end()) {
            const auto which = static_cast<std::size_t>(found - live.live.begin());
            const auto& real = live.real.empty() ? judged_by_[i].front() : live.real[which];
            log_.beliefs.push_back({at, static_cast<policy::EndpointId>(i), real, *health});
        }
    }
}

/// New lines of the log: beliefs, and what events wait for.
void LiveWorld::hear() {
    server_.read(clock_.now().mono);
    for (; heard_ < server_.words().size(); ++heard_) {
        const ServerWord& word = server_.words()[heard_];
        const Mono at = since_begin(word.at);
        if (const auto transition = parse_transition(word.text)) {
            believe(*transition, at);
            turns_.push_back(at);
        }
        if (word.text.find("moved ") != std::string::npos) {
            turns_.push_back(at);
        }
        const auto awaited =
            std::find_if(awaited_.begin(), awaited_.end(), [&](const Awaited& one) {
                return heard_ >= one.from && word.text.find(one.word) != std::string::npos;
            });
        if (awaited == awaited_.end()) {
            continue;
        }
        const ScenarioEvent& event = scenario_.events[awaited->event];
        if (word.text.find("refused") != std::string::npos) {
            remark(event, "the server refused it: " + word.text);
        } else {
            log_.in_force[awaited->event] = at;
            turns_.push_back(at);
            if (awaited->word == "ready") {
                authority_.push_back({at, Authority::Up});
            }
        }
        awaited_.erase(awaited);
    }
}

std::vector<std::string> LiveWorld::unheard() const {
    std::vector<std::string> out;
    for (const Awaited& one : awaited_) {
        const ScenarioEvent& event = scenario_.events[one.event];
        out.push_back(fmt::format("{} of {} at {}: the drill ended before the server said \"{}\".",
                                  to_text(event.kind), event.target,
                                  base::format_duration(event.at), one.word));
    }
    return out;
}

void LiveWorld::tick() {
    hear();
    flap(now());
    if (server_.running() && server_.ended_by_itself()) {
        hear();
        heed("the server ended:" + server_.last_words());
    }
    for (const Awaited& one : awaited_) {
        if (!hung_ && clock_.now().mono > one.deadline) {
            heed(fmt::format("the server did not say \"{}\" in time:{}", one.word,
                             server_.last_words()));
        }
    }
}

}  // namespace steerd::drill
