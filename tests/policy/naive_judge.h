// A judge of who decides alike that shares nothing with views but the words a class is written in:
// plain orders for each client, all health played through by compile_health() and enumerate().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "policy/decide.h"
#include "policy/view_impl.h"
#include "support.h"

namespace steerd::policy::testing {

/// One class for each distinct client, with plain orders: nothing canonical, nothing merged.
class NaiveView {
  public:
    /// REQUIRES: the first tree has a view.
    explicit NaiveView(const Built& built);

    [[nodiscard]] std::uint32_t class_of(const base::IpPrefix& client);
    /// A plan that decides by these classes; no more can be added.
    [[nodiscard]] Plan plan();

    [[nodiscard]] std::size_t size() const { return ids_.size(); }

  private:
    void order(const TreeRoute& route, geo::PlaceId place, std::vector<std::uint16_t>& words);
    void walk(const TreeRoute& route, geo::PlaceId id, const base::IpPrefix& client,
              std::vector<std::uint16_t>& words);

    const Built& built_;
    const Tree& tree_;
    std::unique_ptr<View::Impl> impl_;
    std::map<std::vector<std::uint16_t>, std::uint32_t> ids_;
};

/// All health that the first tree can see: each endpoint up, degraded or down (those without probes
/// up or ordered down), each remembering route staying on each member or none.
class AllHealth {
  public:
    explicit AllHealth(const Plan& plan);

    std::vector<std::shared_ptr<const HealthState>> states;

  private:
    void add(std::size_t endpoint, const HealthFacts& facts);
    void add_holds(std::size_t at, const HealthFacts& facts);

    const Plan& plan_;
};

/// How a class decides: one number for each distinct conduct under all health and hashes.
class Conduct {
  public:
    /// `keys`: prefixes tried for what a hash chooses.
    Conduct(const AllHealth& health, std::size_t keys) : health_(health), keys_(keys) {}

    struct Answer {
        std::uint32_t id = 0;
        bool hashed = false;  // a hash of the prefix made a difference
    };

    [[nodiscard]] Answer of(const Plan& plan, std::uint32_t cls);

  private:
    using Outcome = std::vector<std::tuple<DecisionKind, std::vector<SlotId>, bool, long>>;

    [[nodiscard]] std::uint32_t outcome(const DecideInput& input);

    const AllHealth& health_;
    std::size_t keys_;
    std::map<Outcome, std::uint32_t> outcomes_;
    std::map<std::vector<std::uint32_t>, std::uint32_t> conducts_;
};

}  // namespace steerd::policy::testing
