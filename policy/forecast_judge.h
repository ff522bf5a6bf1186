// What one client gets on each side of a forecast: shares over the endpoints of both sides, each
// name once. Thread rule: load plane, one owner.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "policy/forecast.h"
#include "policy/forecast_walk.h"

namespace steerd::policy {

/// Shares that add up to 1.
struct Split {
    std::vector<double> endpoints;  // by index into ForecastJudge::endpoints()
    double none = 0;
    double fail_open = 0;
};

class ForecastJudge {
  public:
    explicit ForecastJudge(const ForecastInput& input);

    [[nodiscard]] const std::vector<ForecastEndpoint>& endpoints() const noexcept {
        return endpoints_;
    }

    /// Whether a hash of the prefix takes part on either side.
    [[nodiscard]] bool hashed(const Seen& before, const Seen& after) const;
    /// Valid until the next call for the same side; `key` counts only where hashed.
    [[nodiscard]] const Split& before(std::uint32_t cls, bool by_hash, std::uint64_t key);
    [[nodiscard]] const Split& after(std::uint32_t cls, bool by_hash, std::uint64_t key);

    /// Whether it matters to the name where a client is.
    [[nodiscard]] bool place_matters_before() const noexcept { return before_.place_matters; }

    [[nodiscard]] bool place_matters_after() const noexcept { return after_.place_matters; }

  private:
    struct Side {
        const ForecastSide* side = nullptr;
        const Tree* tree = nullptr;
        const View* view = nullptr;
        std::vector<std::uint32_t> index_of;  // EndpointId -> index into endpoints_
        bool draws = false;                   // one client may get one thing or another
        bool place_matters = false;
        std::unordered_map<std::uint32_t, Split> by_class;
        Split scratch;
    };

    void open(const ForecastSide& from, Side& side);
    void judge(const Side& side, std::uint32_t cls, std::uint64_t key, Split& out) const;
    const Split& find(Side& side, std::uint32_t cls, bool by_hash, std::uint64_t key);

    const ForecastInput& input_;
    std::vector<ForecastEndpoint> endpoints_;
    Side before_;
    Side after_;
};

/// The share of clients that get something else.
[[nodiscard]] double moved_between(const Split& before, const Split& after) noexcept;

}  // namespace steerd::policy
