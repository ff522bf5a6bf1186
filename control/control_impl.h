// The parts of the control and how a step runs through them; control.cc moves it, report.cc tells
// of it. Internal to control/. Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "control/check_table.h"
#include "control/control.h"
#include "control/gate.h"
#include "control/history.h"
#include "control/hold_keeper.h"
#include "control/last_good.h"
#include "control/order_desk.h"
#include "control/slot_table.h"
#include "control/target_table.h"

namespace steerd::control {

struct Control::Impl {
    explicit Impl(Options options);

    Effects step(base::Now now, Input input);
    [[nodiscard]] State state(base::Now now) const;
    [[nodiscard]] Status status(base::Now now) const;

    void endpoints_into(Status& status, const std::vector<std::uint32_t>& place,
                        base::Now now) const;

    void take(base::Now now, Tick);
    void take(base::Now now, NewPlan input);
    void take(base::Now now, ChecksDone input);
    void take(base::Now now, ResolveDone input);
    void take(base::Now now, SetOrder input);
    void take(base::Now now, ReleaseOrder input);
    void take(base::Now now, UndoOrder input);

    void restore(State state, base::Now now);
    void end_orders(base::Now now);
    void publish(base::Now now, Effects& effects);
    void end_first_round(base::Now now);
    void write_state(base::Now now, Effects& effects);
    [[nodiscard]] base::Mono next(base::Now now);
    void refuse(std::uint64_t ticket, ReplyKind kind, std::string message,
                std::vector<std::string> steered = {});
    /// The reply waits for the publication that the gate now owes.
    void promise(std::uint64_t ticket, std::string message,
                 std::optional<UndoOrder> undo = std::nullopt);

    Options options_;
    History history_;
    CheckTable checks_;
    TargetTable targets_;
    SlotTable slots_;
    OrderDesk orders_;
    HoldKeeper holds_;
    LastGoodKeeper last_good_;
    Gate gate_;

    std::shared_ptr<const policy::Plan> plan_;
    std::shared_ptr<const policy::Snapshot> snapshot_;
    policy::HealthFacts facts_;  // as last published, and as it grows
    bool orders_changed_ = false;
    base::Duration wall_offset_{};  // wall - mono when the ends of orders were carried over

    std::vector<Reply> at_once_;
    std::vector<Reply> with_publication_;

    bool first_round_done_ = false;
    bool first_round_in_ = false;  // but perhaps not published
    base::Mono first_round_until_{};

    std::uint64_t state_version_ = 0;
    bool state_urgent_ = false;
    bool state_dirty_ = false;
    std::optional<base::Mono> state_written_;
};

}  // namespace steerd::control
