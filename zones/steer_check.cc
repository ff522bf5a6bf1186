// The checks of a steer table against its zone. Each message stands at the steered name in the
// configuration and names the line of the zone file that it collides with.
// RFC 9460 §7.3 (ipv4hint, ipv6hint). Thread rule: see steer_check.h.
#include "zones/steer_check.h"

#include <unordered_map>
#include <utility>

namespace steerd::zones {

namespace {

using dns::RrType;

constexpr unsigned kIpv4Hint = 4;
constexpr unsigned kIpv6Hint = 6;

class Checker {
  public:
    Checker(const Zone& zone, std::span<const std::string> files, Report& report)
        : zone_(&zone), store_(&zone.store()), files_(files), report_(&report) {}

    void check(const SteeredOwner& one) {
        const Offset node = store_->find(one.owner);
        if (node == 0 || store_->node(node).steer != one.index) {
            return;  // outside the zone or given twice: said already
        }
        const auto head = store_->node(node);
        if ((head.flags & (kCut | kHasDname | kOccluded)) != 0) {
            redirected(one, node);
            return;
        }
        if (one.cname_possible && one.owner == dns::Name(zone_->apex())) {
            report_->error(one.at, "the apex " + one.owner.to_text() +
                                       " cannot be steered by a route with a CNAME member");
            return;
        }
        for (Offset at = head.first_rrset; at != 0; at = store_->rrset(at).next) {
            beside(one, node, at);
        }
    }

    /// Targets of NS must not depend on the client (a resolver keeps them for all of its own).
    void check_targets(std::span<const SteeredOwner> steered) {
        store_->for_each_node([&](Offset node) {
            const Offset at = store_->find_rrset(node, RrType::NS);
            if (at != 0) {
                dns::for_each_rdata(store_->view(node, at),
                                    [&](auto rdata) { note_target(dns::NameView(rdata), at); });
            }
        });
        for (const auto& one : steered) {
            if (const auto found = targets_.find(one.index); found != targets_.end()) {
                report_->error(one.at, "steered name " + one.owner.to_text() +
                                           " is the target of an NS (" + place(found->second) +
                                           ")");
                targets_.erase(found);
            }
        }
    }

  private:
    void redirected(const SteeredOwner& one, Offset node) {
        Offset highest = 0;
        for (Offset at = node; at != 0; at = store_->node(at).parent) {
            if ((store_->node(at).flags & (kCut | kHasDname)) != 0) {
                highest = at;
            }
        }
        const bool cut = (store_->node(highest).flags & kCut) != 0;
        const Offset rrset = store_->find_rrset(highest, cut ? RrType::NS : RrType::DNAME);
        report_->error(one.at, "steered name " + one.owner.to_text() + " stands at or below the " +
                                   (cut ? "zone cut " : "DNAME ") +
                                   store_->owner(highest).to_text() + " (" + place(rrset) + ")");
    }

    void beside(const SteeredOwner& one, Offset node, Offset at) {
        const auto type = static_cast<RrType>(store_->rrset(at).type);
        if (one.cname_possible) {
            report_->error(one.at, "a " + dns::to_text(type) +
                                       " record stands at the steered name " + one.owner.to_text() +
                                       " (" + place(at) + "), whose route has a CNAME member");
        } else if (type == RrType::A || type == RrType::AAAA || type == RrType::CNAME) {
            report_->error(one.at, "a static " + dns::to_text(type) +
                                       " record stands beside the steered name " +
                                       one.owner.to_text() + " (" + place(at) + ")");
        } else if (type == RrType::SVCB || type == RrType::HTTPS) {
            hints(one, node, at);
        }
    }

    void hints(const SteeredOwner& one, Offset node, Offset at) {
        bool found = false;
        dns::for_each_rdata(store_->view(node, at),
                            [&](auto rdata) { found = found || has_hint(rdata); });
        if (found) {
            const auto type = static_cast<RrType>(store_->rrset(at).type);
            report_->warning(one.at, "address hints in the " + dns::to_text(type) + " record at " +
                                         one.owner.to_text() + " (" + place(at) +
                                         ") lead clients past the route");
        }
    }

    /// Priority, target, then parameters: key, length, value. Stops where the octets end.
    static bool has_hint(std::span<const std::uint8_t> rdata) {
        const auto target =
            rdata.size() < 2 ? std::nullopt : dns::NameView::parse_wire(rdata.subspan(2));
        if (!target) {
            return false;
        }
        rdata = rdata.subspan(2 + target->size());
        while (rdata.size() >= 4) {
            const unsigned key = static_cast<unsigned>(rdata[0] << 8 | rdata[1]);
            const std::size_t length = static_cast<std::size_t>(rdata[2] << 8 | rdata[3]);
            if (key == kIpv4Hint || key == kIpv6Hint) {
                return true;
            }
            if (length > rdata.size() - 4) {
                return false;
            }
            rdata = rdata.subspan(4 + length);
        }
        return false;
    }

    /// Keeps the first NS of the files for each steered name: the nodes come in no order.
    void note_target(dns::NameView name, Offset rrset) {
        if (!name.is_at_or_below(zone_->apex())) {
            return;
        }
        const auto finding = zone_->lookup(name, RrType::A);
        if (finding.kind != FindingKind::Steered) {
            return;
        }
        const auto [known, fresh] = targets_.try_emplace(finding.steer, rrset);
        const auto order = [&](Offset at) {
            const auto head = store_->rrset(at);
            return std::pair(head.file, head.line);
        };
        if (!fresh && order(rrset) < order(known->second)) {
            known->second = rrset;
        }
    }

    [[nodiscard]] std::string place(Offset rrset) const {
        const auto head = store_->rrset(rrset);
        return base::SourcePos{files_[head.file], head.line, 0}.text();
    }

    const Zone* zone_;
    const ZoneStore* store_;
    std::span<const std::string> files_;
    Report* report_;
    std::unordered_map<std::uint32_t, Offset> targets_;  // steer index to NS RRset
};

}  // namespace

void check_steered(const Zone& zone, std::span<const SteeredOwner> steered,
                   std::span<const std::string> files, Report& report) {
    if (steered.empty()) {
        return;
    }
    Checker checker(zone, files, report);
    for (const auto& one : steered) {
        checker.check(one);
    }
    checker.check_targets(steered);
}

}  // namespace steerd::zones
