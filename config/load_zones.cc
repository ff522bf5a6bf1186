// [zones]: which files are served, and which of their names are steered.
// A zone's own mistakes go to its own problems, so that one bad zone never takes the others down.
#include <fmt/format.h>

#include <map>

#include "base/text.h"
#include "config/draft.h"
#include "config/words.h"

namespace steerd::config {

namespace {

using std::chrono::seconds;

class ZoneReader {
  public:
    ZoneReader(Draft& draft, ZoneConfig& zone, std::vector<SteerPlaces>& places)
        : draft_(&draft), zone_(&zone), places_(&places) {}

    void read(const TomlEntry& entry) {
        const auto what = "zone " + in_quotes(entry.key);
        auto& problems = zone_->steer_problems;
        if (entry.value.kind != TomlNode::Kind::Table) {
            problems.error(zone_->at, fmt::format("{} must be a table with a file, got {}", what,
                                                  describe(entry.value)));
            return;
        }
        TomlTable table(entry.value, what, draft_->source, problems);
        if (const auto file = table.path("file")) {
            zone_->file = *file;
        } else if (!table.has("file")) {
            table.error(table.at(), missing_file(entry));
        }
        if (const auto* steer = table.table("steer")) {
            for (const auto& name : steer->entries) {
                read_steer(name);
            }
        }
        table.finish();
    }

  private:
    /// `[zones.example.com]` without quotes is a table com in a zone example.
    static std::string missing_file(const TomlEntry& entry) {
        for (const auto& inner : entry.value.entries) {
            if (inner.key != "steer" && inner.value.kind == TomlNode::Kind::Table) {
                return fmt::format(
                    "file is missing; a zone name with dots needs quotes: "
                    "[zones.\"{}.{}\"]",
                    entry.key, inner.key);
            }
        }
        return "file is missing: the zone's master file";
    }

    std::optional<dns::Name> read_owner(const TomlEntry& entry, const std::string& what) {
        auto& problems = zone_->steer_problems;
        const auto at = draft_->source.at(entry);
        // Names may end in a dot or not: one that ends in the zone's name is meant whole.
        const auto whole = dns::Name::parse(entry.key == "@" ? "." : entry.key);
        const bool absolute = whole && entry.key != "@" && !zone_->apex.is_root() &&
                              whole->view().is_at_or_below(zone_->apex);
        const auto owner = absolute ? whole : dns::Name::parse(entry.key, zone_->apex);
        if (!owner) {
            problems.error(at, fmt::format("bad name: {} ({})", owner.error(), what));
            return std::nullopt;
        }
        if (!owner->view().is_at_or_below(zone_->apex)) {
            problems.error(at, fmt::format("{} is outside of the zone {}; without its final dot a "
                                           "name is below the zone ({})",
                                           owner->to_text(), zone_->apex.to_text(), what));
            return std::nullopt;
        }
        const auto [first, added] = owners_.emplace(*owner, entry.line);
        if (!added) {
            problems.error(at, fmt::format("{} is steered at line {} already ({})",
                                           owner->to_text(), first->second, what));
            return std::nullopt;
        }
        return *owner;
    }

    void read_steer(const TomlEntry& entry) {
        const auto what = fmt::format("steered name {}", in_quotes(entry.key));
        const auto owner = read_owner(entry, what);
        if (entry.value.kind != TomlNode::Kind::Table) {
            zone_->steer_problems.error(
                draft_->source.at(entry.value),
                fmt::format("must be a table like {{ route = \"NAME\", ttl = \"60s\" }}, got {} "
                            "({})",
                            describe(entry.value), what));
            return;
        }
        TomlTable table(entry.value, what, draft_->source, zone_->steer_problems);
        SteerConfig steer;
        steer.at = draft_->source.at(entry);
        const auto route = read_route(table);
        read_ttls(table, steer);
        if (const auto when = table.word("when_all_down", kWhenAllDownWords)) {
            steer.when_all_down = static_cast<WhenAllDown>(*when);
        }
        if (const auto families = table.word("families", kFamiliesWords)) {
            steer.families = static_cast<Families>(*families);
        }
        table.finish();
        if (owner && route) {
            steer.owner = *owner;
            steer.route = *route;
            zone_->steer.push_back(std::move(steer));
            places_->push_back({table.at("route"), table.at("ttl")});
        }
    }

    std::optional<RouteId> read_route(TomlTable& table) {
        if (!table.has("route")) {
            table.error(table.at(), "route is missing");
            return std::nullopt;
        }
        const auto name = table.text("route");
        if (!name) {
            return std::nullopt;
        }
        if (draft_->endpoints.find(*name) && !draft_->routes.find(*name)) {
            table.error("route", fmt::format("{} is an endpoint; name a route that has it as its "
                                             "member",
                                             in_quotes(*name)));
            return std::nullopt;
        }
        const auto id = resolve(table, draft_->routes, "route", {*name, table.at("route")});
        return id ? std::optional(RouteId{*id}) : std::nullopt;
    }

    /// Whole seconds, at least one.
    static std::optional<std::uint32_t> read_ttl(TomlTable& table, std::string_view key) {
        const auto ttl = table.duration(key, seconds(1));
        if (!ttl) {
            return std::nullopt;
        }
        if (*ttl % seconds(1) != base::Duration::zero()) {
            table.error(key, fmt::format("{} must be in whole seconds, got {}", key,
                                         base::format_duration(*ttl)));
            return std::nullopt;
        }
        return static_cast<std::uint32_t>(*ttl / seconds(1));
    }

    static void read_ttls(TomlTable& table, SteerConfig& steer) {
        const auto ttl = read_ttl(table, "ttl");
        steer.ttl_s = ttl.value_or(steer.ttl_s);
        steer.ttl_min_s = read_ttl(table, "ttl_min");
        const bool bad_ttl = table.has("ttl") && !ttl;
        if (!bad_ttl && steer.ttl_min_s && *steer.ttl_min_s > steer.ttl_s) {
            table.error("ttl_min", fmt::format("ttl_min ({}s) must not exceed ttl ({}s)",
                                               *steer.ttl_min_s, steer.ttl_s));
        }
    }

    Draft* draft_;
    ZoneConfig* zone_;
    std::vector<SteerPlaces>* places_;
    std::map<dns::Name, std::uint32_t> owners_;  // to lines
};

}  // namespace

void load_zones(Draft& draft, TomlTable& root) {
    const auto* zones = root.table("zones");
    if (zones == nullptr) {
        if (!root.has("zones")) {
            draft.problems.warning(root.at(), "no zones: every query will be refused");
        }
        return;
    }
    std::map<dns::Name, std::uint32_t> lines;
    for (const auto& entry : zones->entries) {
        const auto at = draft.source.at(entry);
        const auto apex = dns::Name::parse(entry.key);
        if (!apex) {
            draft.problems.error(
                at, fmt::format("bad zone name {}: {}", in_quotes(entry.key), apex.error()));
            continue;
        }
        const auto [first, added] = lines.emplace(*apex, entry.line);
        if (!added) {
            draft.problems.error(at, fmt::format("zone {} stands at line {} already",
                                                 apex->to_text(), first->second));
            continue;
        }
        auto& zone = draft.model->zones.emplace_back();
        zone.apex = *apex;
        zone.at = draft.source.at(entry.value);
        ZoneReader(draft, zone, draft.steer_places.emplace_back()).read(entry);
    }
}

}  // namespace steerd::config
