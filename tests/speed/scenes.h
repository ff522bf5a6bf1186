// The questions whose cost is watched, each kind with a few hundred queries over one zone, one
// world and one tree of routes that are made from text: for the guard (instructions of a query)
// and the benchmarks (nanoseconds of a query), so that both speak of the same work.
// Everything is drawn from fixed seeds, so the same build asks the same in every run. It opens no
// socket and checks each answer once, before anything is measured. Thread rule: one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "policy/ahead.h"
#include "policy/answer.h"

namespace steerd::speed {

struct Kind {
    std::string name;
    policy::AnswerKind expected{};
    bool truncated = false;
    std::vector<std::vector<std::uint8_t>> queries;
};

class Scenes {
  public:
    /// Steered names over so many members stand beside the others: "members-1" .. "members-1000".
    Scenes();

    [[nodiscard]] const std::vector<Kind>& kinds() const noexcept { return kinds_; }

    /// nullptr when there is no such kind.
    [[nodiscard]] const Kind* find(std::string_view name) const noexcept;

    /// The `i`-th query of a kind through answer(), the list taken again from its beginning.
    policy::Outcome ask(const Kind& kind, std::size_t i) noexcept;

    /// Reads ahead for a batch of the queries from the `i`-th on, without answering them.
    policy::Ahead read_ahead(const Kind& kind, std::size_t i) const noexcept;

    static constexpr std::size_t kBatch = 8;

    [[nodiscard]] const policy::Snapshot& snapshot() const noexcept { return snapshot_; }

    /// What is not answered as its kind expects, one line each; empty: all is well.
    [[nodiscard]] std::string complaints();

  private:
    policy::Snapshot snapshot_;
    std::vector<Kind> kinds_;
    std::array<std::uint8_t, policy::kMaxUdpAnswer> out_{};
};

}  // namespace steerd::speed
