// What those above the server ask for: status, orders, reloads. An order is answered when control
// has published it and its state is on disk; where the disk refuses, it is undone, or holds in
// memory only if that was forced (and the answer says so). Thread rule: the loop's thread.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "server/log.h"
#include "server/service_impl.h"

namespace steerd::server {

namespace {

template <typename... Cases>
struct Overloaded : Cases... {
    using Cases::operator()...;
};

template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;  // GCC needs none; clang 16, which fuzzes, does

OrderOutcome outcome_of(control::ReplyKind kind) {
    switch (kind) {
        case control::ReplyKind::Done:
            return OrderOutcome::Done;
        case control::ReplyKind::UnknownName:
            return OrderOutcome::UnknownName;
        case control::ReplyKind::Refused:
            return OrderOutcome::Refused;
    }
    return OrderOutcome::Refused;
}

}  // namespace

void Service::on_requests(std::vector<DeskRequest> requests) {
    std::vector<AskStatus> status_asked;
    for (auto& request : requests) {
        std::visit(Overloaded{[&](AskReady& ask) { ask.reply(workers_started_); },
                              [&](AskStatus& ask) { status_asked.push_back(std::move(ask)); },
                              [&](AskOrder& ask) { take(std::move(ask)); },
                              [&](AskReload& ask) {
                                  auto& list =
                                      loading_ || reloaded_ ? reload_waiting_ : reload_asked_;
                                  list.push_back(std::move(ask));
                                  log(LogLevel::Notice, "reload asked for");
                                  load(true);
                              }},
                   request);
    }
    if (!status_asked.empty()) {
        const auto made = status();  // one for all who wait
        for (const auto& ask : status_asked) {
            ask.reply(made);
        }
    }
}

void Service::take(AskOrder request) {
    const std::uint64_t ticket = ++last_ticket_;
    PendingOrder pending;
    pending.reply = std::move(request.reply);
    if (auto* set = std::get_if<control::SetOrder>(&request.order)) {
        pending.force = set->force;
        set->ticket = ticket;
        orders_.emplace(ticket, std::move(pending));
        step(std::move(*set));
    } else {
        auto& release = std::get<control::ReleaseOrder>(request.order);
        release.ticket = ticket;
        orders_.emplace(ticket, std::move(pending));
        step(std::move(release));
    }
}

void Service::on_reply(control::Reply reply) {
    const auto found = orders_.find(reply.ticket);
    if (found == orders_.end()) {
        return;
    }
    if (found->second.taken_back) {
        auto order = std::move(found->second);
        orders_.erase(found);
        status_made_.reset();
        order.reply({OrderOutcome::NotWritten,
                     fmt::format("{}; nothing was changed, since a restart would forget it",
                                 *order.taken_back),
                     {}});
        return;
    }
    if (reply.kind == control::ReplyKind::Done && reply.state_version > written_version_) {
        found->second.published = std::move(reply);
        return;
    }
    auto order = std::move(found->second);
    orders_.erase(found);
    if (state_writer_ == nullptr && reply.kind == control::ReplyKind::Done) {
        reply.message += " (in memory only: there is no state_dir)";
    }
    order.published = std::move(reply);
    settle(std::move(order));
}

void Service::settle(PendingOrder order) {
    status_made_.reset();
    auto& reply = *order.published;
    order.reply({outcome_of(reply.kind), std::move(reply.message), std::move(reply.steered)});
}

void Service::on_written(const Written& written) {
    state_problem_ = written.why.value_or("");
    if (written.why) {
        give_up(*written.why);
        return;
    }
    written_version_ = std::max(written_version_, written.version);
    std::vector<PendingOrder> settled;
    std::erase_if(orders_, [&](auto& entry) {
        auto& [ticket, order] = entry;
        if (!order.published || order.published->state_version > written_version_) {
            return false;
        }
        settled.push_back(std::move(order));
        return true;
    });
    for (auto& order : settled) {
        settle(std::move(order));
    }
}

/// The newest first, so that of several orders for one name the oldest's before is what remains.
void Service::give_up(const std::string& why) {
    std::vector<std::pair<std::uint64_t, PendingOrder>> failed;
    std::erase_if(orders_, [&](auto& entry) {
        if (!entry.second.published) {
            return false;
        }
        failed.emplace_back(entry.first, std::move(entry.second));
        return true;
    });
    std::ranges::reverse(failed);
    for (auto& [ticket, order] : failed) {
        auto& reply = *order.published;
        if (order.force || !reply.undo) {
            reply.message += fmt::format(" (in memory only, a restart forgets it: {})", why);
            settle(std::move(order));
            continue;
        }
        // Told when answers are without it again, which the gate may hold back for a moment.
        auto undo = std::move(*reply.undo);
        undo.why = "taken back: " + why;
        undo.ticket = ticket;
        order.taken_back = why;
        order.published.reset();
        orders_.emplace(ticket, std::move(order));
        step(std::move(undo));
    }
}

/// Of ten thousand endpoints a status takes milliseconds of this loop: one that was just made
/// serves again, so that readers get at most a tenth of it, whatever they ask. What an order or a
/// reload changed is always in it.
std::shared_ptr<const ServerStatus> Service::status() {
    const auto before = clock_.now().mono;
    if (status_made_ == nullptr || before - status_at_ >= 9 * status_cost_) {
        status_made_ = make_status();
        status_at_ = clock_.now().mono;
        status_cost_ = status_at_ - before;
    }
    return status_made_;
}

std::shared_ptr<const ServerStatus> Service::make_status() const {
    auto made = std::make_shared<ServerStatus>();
    made->control = control_->status(clock_.now());
    made->plan = plan_;
    made->earlier_ttls = ttl_memory_.earlier();
    made->load = last_load_;
    made->reloads = reloads_;
    made->tap = tap_ ? tap_->counts() : TapCounts{};
    made->log_suppressed = event_limit_.suppressed();
    made->stalled_threads = worker_watch_.stalled();
    made->started = started_;
    made->ready = workers_started_;
    made->listening = listening_;
    made->keeps_state = state_writer_ != nullptr;
    made->state_problem = state_problem_;
    return made;
}

}  // namespace steerd::server
