// Verdicts from behaviour, and the truth about endpoints over time.
#include "drill/virtual_world.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/rng.h"

namespace steerd::drill {

using config::index;
using health::Outcome;

namespace {

/// How long a client waits for an endpoint without probes.
constexpr base::Duration kPatience = std::chrono::seconds(10);
constexpr std::uint32_t kTargetTtl = 300;

/// The moment of a period, from its begin.
base::Duration moment_of(base::Duration since, base::Duration period) { return since % period; }

}  // namespace

VirtualWorld::VirtualWorld(std::shared_ptr<const policy::Plan> plan, AskedType type,
                           std::uint64_t seed)
    : plan_(std::move(plan)), type_(type), seed_(seed) {
    for (std::size_t i = 0; i < plan_->endpoints.size(); ++i) {
        base::Duration patience{};
        for (const config::ProbeId probe : plan_->model->endpoints[i].probes) {
            patience = std::max(patience, plan_->model->probes[index(probe)].spec->timeout);
        }
        for (const auto& address : all_addresses(static_cast<policy::EndpointId>(i))) {
            Site& site = sites_[address];
            site.patience = std::max(site.patience, patience);
        }
    }
    for (auto& [address, site] : sites_) {
        site.history.push_back({base::Mono::min()});
        site.patience = site.patience > base::Duration{} ? site.patience : kPatience;
    }
}

base::IpAddress VirtualWorld::target_address(const dns::Name& target) const {
    // 100::/64 (RFC 6666) leads nowhere, so it can stand for the addresses of any target.
    std::array<std::uint8_t, 16> octets{0x01};
    for (std::size_t i = 0; i < plan_->endpoints.size(); ++i) {
        if (plan_->endpoints[i].cname && plan_->endpoints[i].target == target) {
            octets[15] = static_cast<std::uint8_t>(i);
            octets[14] = static_cast<std::uint8_t>(i >> 8);
            octets[13] = static_cast<std::uint8_t>(i >> 16);
            break;
        }
    }
    return base::IpAddress::v6(octets);
}

std::vector<base::IpAddress> VirtualWorld::all_addresses(policy::EndpointId id) const {
    const policy::Endpoint& endpoint = plan_->endpoints[index(id)];
    if (endpoint.cname) {
        return {target_address(endpoint.target)};
    }
    std::vector<base::IpAddress> out;
    for (std::size_t s = 0; s < std::size_t{endpoint.v4_count} + endpoint.v6_count; ++s) {
        out.push_back(plan_->slots[endpoint.first_slot + s].address);
    }
    return out;
}

std::vector<base::IpAddress> VirtualWorld::addresses(policy::EndpointId id) const {
    auto all = all_addresses(id);
    const bool v4 = type_ == AskedType::A;
    const auto of_family = [&](const base::IpAddress& address) { return address.is_v4() == v4; };
    if (std::any_of(all.begin(), all.end(), of_family)) {
        std::erase_if(all, [&](const auto& address) { return !of_family(address); });
    }
    return all;
}

const VirtualWorld::Site* VirtualWorld::site(const base::IpAddress& address) const {
    const auto found = sites_.find(address);
    return found == sites_.end() ? nullptr : &found->second;
}

void VirtualWorld::apply(const ScenarioEvent& event, std::span<const policy::EndpointId> endpoints,
                         base::Mono at) {
    switch (event.kind) {
        case EventKind::Hang:
        case EventKind::Drain:
        case EventKind::Release:
        case EventKind::Weight:
            return;
        case EventKind::Kill:
        case EventKind::Blackhole:
        case EventKind::Slow:
        case EventKind::Gray:
        case EventKind::Flap:
        case EventKind::Recover:
        case EventKind::Partition:
            break;
    }
    Behaviour behaviour{at, event.kind, event.delay, event.fail, event.period};
    behaviour.dead = base::Duration(
        static_cast<base::Duration::rep>(static_cast<double>(event.period.count()) * event.duty));
    std::set<base::IpAddress> hit;
    for (const auto id : endpoints) {
        const auto all = all_addresses(id);
        hit.insert(all.begin(), all.end());
    }
    for (const auto& address : hit) {
        Site& site = sites_.at(address);
        if (event.kind == EventKind::Partition) {
            site.cut_off = true;
            continue;
        }
        site.cut_off = site.cut_off && event.kind != EventKind::Recover;
        site.history.push_back(behaviour);
    }
}

health::CheckDone VirtualWorld::check(const health::StartCheck& start, base::Mono now) const {
    health::CheckDone done;
    done.check = start.check;
    done.run = start.run;
    done.started = now;
    const health::ProbeSpec& spec = *start.spec;
    const auto end = [&](Outcome outcome, base::Duration takes, const char* reason) {
        done.verdict = {outcome, reason, takes, std::nullopt};
        done.ended = now + takes;
        return done;
    };
    const Site* at = site(start.address);
    if (at == nullptr) {
        return end(Outcome::Pass, {}, "simulated");
    }
    if (at->cut_off) {
        return end(Outcome::Fail, spec.timeout, "timeout (probes cut off)");
    }
    const Behaviour& how = at->history.back();
    bool fails = how.kind == EventKind::Kill;
    if (how.kind == EventKind::Flap) {
        fails = moment_of(now - how.since, how.period) < how.dead;
    } else if (how.kind == EventKind::Gray) {
        base::Rng rng(base::mix64(seed_ ^ base::mix64(start.run)));
        fails = rng.unit() < how.fail;
    }
    if (how.kind == EventKind::Blackhole || how.delay >= spec.timeout) {
        return end(Outcome::Fail, spec.timeout, "timeout");
    }
    if (fails) {
        return end(Outcome::Fail, how.delay,
                   how.kind == EventKind::Gray ? "simulated failure" : "connection refused");
    }
    const bool slow = spec.slow_after && how.delay > *spec.slow_after;
    return end(slow ? Outcome::Slow : Outcome::Pass, how.delay, "simulated");
}

control::ResolveDone VirtualWorld::resolve(const control::ResolveTarget& target) const {
    control::ResolveDone done;
    done.target = target.target;
    done.run = target.run;
    done.resolution = control::Resolution::Addresses;
    done.addresses = {target_address(target.name)};
    done.ttl_s = kTargetTtl;
    return done;
}

void VirtualWorld::add_truth(const Site& site, const Behaviour& how, base::Mono until,
                             std::vector<Truth>& out) {
    const base::Mono from = std::max(how.since, base::Mono{});
    const auto add = [&](base::Mono at, double failing) {
        if (out.empty() || out.back().failing != failing) {
            out.push_back({at, failing});
        }
    };
    switch (how.kind) {
        case EventKind::Kill:
        case EventKind::Blackhole:
            add(from, 1);
            return;
        case EventKind::Slow:
            add(from, how.delay >= site.patience ? 1 : 0);
            return;
        case EventKind::Gray:
            add(from, how.delay >= site.patience ? 1 : how.fail);
            return;
        case EventKind::Flap:
            for (base::Mono at = from; at < until; at += how.period) {
                add(at, 1);
                if (at + how.dead < until && how.dead < how.period) {
                    add(at + how.dead, 0);
                }
            }
            return;
        default:
            add(from, 0);
            return;
    }
}

std::vector<std::vector<Truth>> VirtualWorld::truth(base::Mono end) const {
    std::map<base::IpAddress, std::vector<Truth>> of_address;
    for (const auto& [address, one] : sites_) {
        auto& list = of_address[address];
        for (std::size_t i = 0; i < one.history.size(); ++i) {
            const auto until = i + 1 < one.history.size() ? one.history[i + 1].since : end;
            if (until > one.history[i].since) {
                add_truth(one, one.history[i], until, list);
            }
        }
    }
    std::vector<std::vector<Truth>> out;
    for (std::size_t i = 0; i < plan_->endpoints.size(); ++i) {
        const auto all = addresses(static_cast<policy::EndpointId>(i));
        std::map<base::Mono, double> changes;  // of the sum
        for (const auto& address : all) {
            double before = 0;
            for (const Truth& truth : of_address.at(address)) {
                changes[truth.from] += truth.failing - before;
                before = truth.failing;
            }
        }
        auto& list = out.emplace_back();
        double sum = 0;
        for (const auto& [at, change] : changes) {
            sum += change;
            list.push_back({at, std::clamp(sum / static_cast<double>(all.size()), 0.0, 1.0)});
        }
    }
    return out;
}

}  // namespace steerd::drill
