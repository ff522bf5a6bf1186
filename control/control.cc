// See control.h: a step takes its input, lets time do what fell due, and hands out what follows.
// Thread rule: one thread.
#include "control/control.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "control/control_impl.h"

namespace steerd::control {

namespace {

constexpr base::Duration kMostFirstRound = std::chrono::seconds(5);
/// First checks are spread over one millisecond for each, at most over this.
constexpr base::Duration kMostSpread = std::chrono::seconds(1);
constexpr base::Duration kRoundSlack = std::chrono::milliseconds(50);
/// Health is on its way to disk well within a second of a transition, however many there are.
constexpr base::Duration kLeastBetweenWrites = std::chrono::milliseconds(500);
/// Without transitions too, so that restored health is young.
constexpr base::Duration kMostBetweenWrites = std::chrono::seconds(60);
/// A wall clock that was set by more than this moves the ends of orders.
constexpr base::Duration kWallStep = std::chrono::milliseconds(100);

}  // namespace

Control::Impl::Impl(Options options)
    : options_(options),
      history_(options.history),
      checks_(options.seed, options.max_in_flight),
      slots_(checks_, targets_, history_),
      holds_(history_) {}

Effects Control::Impl::step(base::Now now, Input input) {
    Effects effects;
    std::visit([&](auto& taken) { take(now, std::move(taken)); }, input);
    if (plan_) {
        end_orders(now);
        effects.start = checks_.start_due(now.mono);
        effects.resolve = targets_.ask_due(now.mono);
        if (holds_.next() <= now.mono) {
            gate_.mark();
        }
        if (gate_.opens() <= now.mono) {
            publish(now, effects);
        }
        end_first_round(now);
        write_state(now, effects);
    }
    effects.first_round_done = first_round_done_;
    effects.events = history_.take_new();
    std::ranges::move(std::exchange(at_once_, {}), std::back_inserter(effects.replies));
    effects.next = next(now);
    return effects;
}

void Control::Impl::take(base::Now, Tick) {}

void Control::Impl::take(base::Now now, NewPlan input) {
    const bool first = plan_ == nullptr;
    if (first && input.restored) {
        restore(std::move(*input.restored), now);
    }
    plan_ = std::move(input.plan);
    orders_.adopt(*plan_);
    slots_.adopt(plan_, now);
    holds_.adopt(*plan_);
    last_good_.adopt(*plan_, slots_);
    orders_changed_ = true;
    state_dirty_ = true;
    gate_.mark();
    if (first) {
        base::Duration longest{};
        for (const health::CheckId id : checks_.ids()) {
            longest = std::max(longest, checks_.at(id).spec->timeout);
        }
        if (!targets_.ids().empty()) {
            longest = kMostFirstRound;
        }
        // A check that starts at the end of the spread and fails at its timeout is still heard.
        const auto spread = std::min<base::Duration>(
            kMostSpread, std::chrono::milliseconds(checks_.ids().size()) + kRoundSlack);
        first_round_until_ = now.mono + std::min(longest + spread, kMostFirstRound);
    }
    Event event;
    event.kind = EventKind::Reload;
    event.cause =
        fmt::format("{}: {} endpoints, {} steered names in {} zones", first ? "start" : "reload",
                    plan_->endpoints.size(), plan_->steered.size(), plan_->zones.size());
    history_.add(std::move(event), now.wall);
}

void Control::Impl::restore(State state, base::Now now) {
    checks_.restore(std::move(state.checks));
    targets_.restore(std::move(state.targets));
    slots_.restore(std::move(state.slots));
    holds_.restore(state.holds, now);
    last_good_.restore(std::move(state.last_good));
    for (health::NamedOrder& order : state.orders) {
        orders_.book().set(std::move(order.name), std::move(order.order));
    }
}

void Control::Impl::take(base::Now now, ChecksDone input) {
    const std::uint64_t transitions = slots_.transitions();
    for (const health::CheckDone& done : input.checks) {
        if (checks_.record(done, now) && slots_.refresh(done.check, cause_of(done.verdict), now)) {
            gate_.mark();
        }
    }
    state_dirty_ = state_dirty_ || slots_.transitions() != transitions;
}

void Control::Impl::take(base::Now now, ResolveDone input) {
    const TargetTable::Recorded recorded = targets_.record(input, now);
    if (!recorded.counts) {
        return;
    }
    if (recorded.addresses_changed) {
        slots_.follow_target(input.target, now);
        state_dirty_ = true;
    }
    const std::uint64_t transitions = slots_.transitions();
    if (slots_.refresh(input.target, cause_of(targets_.at(input.target)), now)) {
        gate_.mark();
    }
    state_dirty_ = state_dirty_ || slots_.transitions() != transitions;
}

void Control::Impl::refuse(std::uint64_t ticket, ReplyKind kind, std::string message,
                           std::vector<std::string> steered) {
    at_once_.push_back(
        {ticket, kind, std::move(message), std::move(steered), state_version_, std::nullopt});
}

void Control::Impl::promise(std::uint64_t ticket, std::string message,
                            std::optional<UndoOrder> undo) {
    orders_changed_ = true;
    state_urgent_ = true;
    gate_.mark();
    // The version is the one that this very step writes.
    const std::uint64_t version = options_.keep_state ? state_version_ + 1 : 0;
    with_publication_.push_back(
        {ticket, ReplyKind::Done, std::move(message), {}, version, std::move(undo)});
}

void Control::Impl::take(base::Now now, SetOrder input) {
    if (!plan_ || !orders_.knows(input.name)) {
        refuse(input.ticket, ReplyKind::UnknownName,
               fmt::format("no endpoint or region is called \"{}\"", input.name));
        return;
    }
    const std::string_view state = health::to_text(input.state);
    if (input.until && *input.until <= now.wall) {
        refuse(input.ticket, ReplyKind::Refused,
               fmt::format("{} of {} would be over already", state, input.name));
        return;
    }
    health::NamedOrder order{input.name,
                             {input.state, input.reason, input.who, now.wall, input.until}};
    if (!input.force && input.state != health::OrderState::Up) {
        std::vector<std::string> names = orders_.left_without(*plan_, order);
        if (!names.empty()) {
            const std::string shown =
                names.size() <= 5 ? fmt::format("{}", fmt::join(names, ", "))
                                  : fmt::format("{} and {} more names",
                                                fmt::join(names.begin(), names.begin() + 5, ", "),
                                                names.size() - 5);
            refuse(input.ticket, ReplyKind::Refused,
                   fmt::format("{} of {} would leave no candidate for {}; --force does it anyway",
                               state, input.name, shown),
                   std::move(names));
            return;
        }
    }
    UndoOrder undo{order.name, std::nullopt, ""};
    if (const health::Order* before = orders_.book().find(order.name)) {
        undo.before = *before;
    }
    orders_.book().set(order.name, order.order);
    Event event;
    event.kind = EventKind::OrderSet;
    event.name = order.name;
    event.to = state;
    event.cause = order.order.reason;
    event.who = order.order.who;
    event.until = order.order.until;
    history_.add(std::move(event), now.wall);
    promise(input.ticket,
            fmt::format("{}: {}{}", input.name, state,
                        input.until ? " until " + base::format_wall(*input.until) : ""),
            std::move(undo));
}

void Control::Impl::take(base::Now now, ReleaseOrder input) {
    constexpr std::string_view kRoute = "route:";
    Event event;
    event.name = input.name;
    event.who = input.who;
    if (input.name.starts_with(kRoute)) {
        const std::string route = input.name.substr(kRoute.size());
        const bool exists =
            plan_ && std::ranges::find(plan_->model->routes, route, &config::RouteConfig::name) !=
                         plan_->model->routes.end();
        if (!exists) {
            refuse(input.ticket, ReplyKind::UnknownName,
                   fmt::format("no route is called \"{}\"", route));
            return;
        }
        const bool remembers = holds_.release(route);
        if (remembers) {
            event.kind = EventKind::RouteReleased;
            event.name = route;
            history_.add(std::move(event), now.wall);
        }
        promise(input.ticket, remembers ? fmt::format("{}: first available counts again", route)
                                        : fmt::format("{}: remembers nothing", route));
        return;
    }
    const std::optional<health::Order> released = orders_.book().release(input.name);
    if (!released && (!plan_ || !orders_.knows(input.name))) {
        refuse(input.ticket, ReplyKind::UnknownName,
               fmt::format("no endpoint, region or order is called \"{}\"", input.name));
        return;
    }
    if (released) {
        event.kind = EventKind::OrderReleased;
        event.from = health::to_text(released->state);
        history_.add(std::move(event), now.wall);
    }
    promise(input.ticket,
            released ? fmt::format("{}: {} released", input.name, health::to_text(released->state))
                     : fmt::format("{}: nothing was ordered", input.name),
            UndoOrder{input.name, released, ""});
}

void Control::Impl::take(base::Now now, UndoOrder input) {
    Event event;
    event.kind = input.before ? EventKind::OrderSet : EventKind::OrderReleased;
    event.name = input.name;
    event.cause = std::move(input.why);
    if (input.before) {
        event.to = health::to_text(input.before->state);
        event.who = input.before->who;
        event.until = input.before->until;
        orders_.book().set(std::move(input.name), std::move(*input.before));
    } else {
        orders_.book().release(input.name);
    }
    history_.add(std::move(event), now.wall);
    orders_changed_ = true;
    state_urgent_ = true;
    gate_.mark();
    if (input.ticket != 0) {
        with_publication_.push_back({input.ticket, ReplyKind::Done, "undone", {}, 0, {}});
    }
}

void Control::Impl::end_orders(base::Now now) {
    for (health::NamedOrder& over : orders_.book().expire(now.wall)) {
        Event event;
        event.kind = EventKind::OrderExpired;
        event.name = std::move(over.name);
        event.from = health::to_text(over.order.state);
        event.cause = std::move(over.order.reason);
        event.who = std::move(over.order.who);
        history_.add(std::move(event), now.wall);
        orders_changed_ = true;
        state_urgent_ = true;
        gate_.mark();
    }
    const base::Duration offset = now.wall.time_since_epoch() - now.mono.time_since_epoch();
    const base::Duration moved = offset - wall_offset_;
    if ((moved > kWallStep || moved < -kWallStep) && orders_.book().next_expiry()) {
        orders_changed_ = true;
        gate_.mark();
    }
}

void Control::Impl::publish(base::Now now, Effects& effects) {
    if (orders_changed_) {
        facts_.orders = orders_.facts(now);
        wall_offset_ = now.wall.time_since_epoch() - now.mono.time_since_epoch();
        orders_changed_ = false;
    }
    facts_.slots = slots_.facts();
    facts_.holds = holds_.facts();
    facts_.last_good = last_good_.facts();
    std::shared_ptr<const policy::HealthState> health = policy::compile_health(*plan_, facts_);
    // Ranks do not depend on what is remembered, so one round settles it.
    const auto same = [](const policy::HoldFacts& a, const policy::HoldFacts& b) {
        return a.member == b.member && a.until == b.until;
    };
    holds_.update(*plan_, *health, now);
    const bool held = !std::ranges::equal(holds_.facts(), facts_.holds, same);
    const bool remembered = last_good_.update(*plan_, *health, facts_.slots);
    if (held || remembered) {
        facts_.holds = holds_.facts();
        facts_.last_good = last_good_.facts();
        health = policy::compile_health(*plan_, facts_);
        state_dirty_ = true;
    }
    auto snapshot = std::make_shared<policy::Snapshot>();
    snapshot->generation = snapshot_ ? snapshot_->generation + 1 : 1;
    snapshot->published = now;
    snapshot->plan = plan_;
    snapshot->health = std::move(health);
    snapshot_ = std::move(snapshot);
    effects.snapshot = snapshot_;
    effects.replies = std::exchange(with_publication_, {});
    gate_.published(now.mono);
}

void Control::Impl::end_first_round(base::Now now) {
    first_round_in_ = first_round_in_ || now.mono >= first_round_until_ ||
                      (checks_.unheard() == 0 && targets_.unheard() == 0);
    first_round_done_ = first_round_done_ || (first_round_in_ && !gate_.dirty());
}

void Control::Impl::write_state(base::Now now, Effects& effects) {
    if (!options_.keep_state) {
        return;
    }
    const base::Duration age = state_written_ ? now.mono - *state_written_ : kMostBetweenWrites;
    if (state_urgent_ || (state_dirty_ && age >= kLeastBetweenWrites) ||
        age >= kMostBetweenWrites) {
        effects.state = {++state_version_, std::make_shared<const State>(state(now))};
        state_written_ = now.mono;
        state_urgent_ = false;
        state_dirty_ = false;
    }
}

base::Mono Control::Impl::next(base::Now now) {
    if (!plan_) {
        return base::kNever;
    }
    base::Mono next = std::min({checks_.next(), targets_.next(), gate_.opens(), holds_.next()});
    if (const std::optional<base::Wall> expiry = orders_.book().next_expiry()) {
        next = std::min(next, now.mono + (*expiry - now.wall));
    }
    if (!first_round_in_) {
        next = std::min(next, first_round_until_);
    }
    if (options_.keep_state) {
        next = std::min(
            next, *state_written_ + (state_dirty_ ? kLeastBetweenWrites : kMostBetweenWrites));
    }
    return std::max(next, now.mono);
}

Control::Control(Options options) : impl_(std::make_unique<Impl>(options)) {}

Control::~Control() = default;

Effects Control::step(base::Now now, Input input) { return impl_->step(now, std::move(input)); }

State Control::state(base::Now now) const { return impl_->state(now); }

Status Control::status(base::Now now) const { return impl_->status(now); }

std::vector<Event> Control::events_after(std::uint64_t after) const {
    return impl_->history_.after(after);
}

}  // namespace steerd::control
