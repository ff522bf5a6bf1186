// A walk in depth over names that remembers what is known to end. Thread rule: see cname_loops.h.
#include "policy/cname_loops.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace steerd::policy {

namespace {

constexpr std::size_t kLongestChain = 256;

enum class Mark : std::uint8_t { OnPath, Ends };

class Walker {
  public:
    explicit Walker(const Plan& plan) : plan_(plan) {}

    /// True when following `name` meets a name twice; path() is then the chain up to that.
    bool loops(const dns::Name& name) {
        // What an earlier loop left is forgotten, so that each message has its chain in full.
        for (const dns::Name& old : path_) {
            marks_.erase(old.lowered());
        }
        path_.clear();
        return visit(name);
    }

    [[nodiscard]] std::string path() const {
        std::string text;
        for (const dns::Name& name : path_) {
            text += (text.empty() ? "" : " → ") + name.to_text();
        }
        return text;
    }

  private:
    bool visit(const dns::Name& name) {
        const auto [at, fresh] = marks_.try_emplace(name.lowered(), Mark::OnPath);
        if (!fresh && at->second == Mark::Ends) {
            return false;
        }
        path_.push_back(name);
        if (!fresh) {
            return true;
        }
        if (path_.size() < kLongestChain) {
            for (const dns::Name& next : successors(name)) {
                if (visit(next)) {
                    return true;
                }
            }
        }
        path_.pop_back();
        marks_[name.lowered()] = Mark::Ends;
        return false;
    }

    [[nodiscard]] std::vector<dns::Name> successors(const dns::Name& name) const {
        std::vector<dns::Name> out;
        const zones::ZoneSlot* const slot = plan_.zone_set.find(name);
        if (slot == nullptr || !slot->zone) {
            return out;
        }
        const zones::Finding finding = slot->zone->lookup(name, dns::RrType::A);
        if (finding.steer != zones::kNotSteered) {
            const auto zone = static_cast<std::size_t>(slot - plan_.zone_set.slots().data());
            const std::uint32_t steered = plan_.zones[zone].first_steered + finding.steer;
            const Tree& tree = plan_.trees[config::index(plan_.steered[steered].tree)];
            for (const EndpointId id : tree.endpoints) {
                const Endpoint& endpoint = plan_.endpoints[config::index(id)];
                if (endpoint.cname) {
                    out.push_back(endpoint.target);
                }
            }
            return out;
        }
        if (const auto target = static_target(name, finding)) {
            out.push_back(*target);
        }
        return out;
    }

    [[nodiscard]] static std::optional<dns::Name> static_target(const dns::Name& name,
                                                                const zones::Finding& finding) {
        const bool dname = finding.kind == zones::FindingKind::Dname;
        if (!dname && finding.kind != zones::FindingKind::Cname) {
            return std::nullopt;
        }
        std::optional<dns::Name> target;
        dns::for_each_rdata(finding.rrset, [&](std::span<const std::uint8_t> rdata) {
            if (const auto view = dns::NameView::parse_wire(rdata)) {
                target = dname ? dns::Name::substitute(name, finding.rrset.owner, *view)
                               : std::optional<dns::Name>(dns::Name(*view));
            }
        });
        return target;
    }

    const Plan& plan_;
    std::vector<dns::Name> path_;
    std::unordered_map<dns::Name, Mark, dns::NameHash> marks_;
};

}  // namespace

void find_cname_loops(const Plan& plan, base::Problems& problems) {
    Walker walker(plan);
    for (std::size_t i = 0; i < plan.steered.size(); ++i) {
        const SteeredName& name = plan.steered[i];
        const Tree& tree = plan.trees[config::index(name.tree)];
        if (!tree.has_cname) {
            continue;
        }
        for (const EndpointId id : tree.endpoints) {
            const Endpoint& endpoint = plan.endpoints[config::index(id)];
            if (endpoint.cname && walker.loops(endpoint.target)) {
                const PlanZone& zone = plan.zones[name.zone];
                problems.error(zone.config->steer[i - zone.first_steered].at,
                               "the CNAME target of endpoint \"" + endpoint.name +
                                   "\" leads back to itself: " + walker.path());
            }
        }
    }
}

}  // namespace steerd::policy
