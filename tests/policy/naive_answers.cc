// The list, its text, and the walk over it.
#include "naive_answers.h"

#include <algorithm>
#include <cctype>
#include <set>

namespace steerd::policy::testing {
namespace {

class Reference {
  public:
    Reference(const NaiveZone& zone, const Snapshot& snapshot, std::uint64_t draw,
              const base::IpPrefix& client)
        : zone_(zone), snapshot_(snapshot), draw_(draw), client_(client) {}

    Expected ask(const Name& qname, RrType qtype) {
        out_ = {};
        std::set<Name> met{qname};
        for (std::optional<Name> name = qname; name;) {
            name = step(*name, qtype, *name == qname);
            if (!name || qtype == RrType::CNAME || qtype == RrType::ANY ||
                !name->view().is_at_or_below(apex_) || met.size() == kMaxChain ||
                !met.insert(*name).second) {
                break;
            }
        }
        return out_;
    }

  private:
    static constexpr std::size_t kMaxChain = 16;

    void add(std::string& section, const Name& owner, unsigned ttl, RrType type,
             const std::string& rdata) {
        section += lower(owner.to_text() + " " + std::to_string(ttl) + " IN " + dns::to_text(type) +
                         " " + rdata) +
                   "\n";
    }

    void add_all(std::string& section, const Name& owner, const Name& source, RrType type) {
        for (const std::string& rdata : zone_.at(source, type)) {
            add(section, owner, 3600, type, rdata);
        }
    }

    void negative(unsigned ttl = 300) {
        add(out_.authority, apex_, ttl, RrType::SOA,
            "ns1.example.net. admin.example.net. 1 3600 600 86400 300");
    }

    /// The name to go on with.
    std::optional<Name> step(const Name& name, RrType qtype, bool first) {
        Name encloser = apex_;
        for (auto n = apex_.view().label_count(); n <= name.view().label_count(); ++n) {
            const Name at(name.view().suffix(n));
            const bool last = at == name;
            if (at != apex_ && !zone_.at(at, RrType::NS).empty() &&
                !(last && qtype == RrType::DS)) {
                out_.authoritative = out_.authoritative && !first;
                add_all(out_.authority, at, at, RrType::NS);
                return std::nullopt;
            }
            const auto dname = zone_.at(at, RrType::DNAME);
            if (!last && !dname.empty()) {
                if (dnames_.insert(at).second) {  // once in a message
                    add_all(out_.answer, at, at, RrType::DNAME);
                }
                const auto to = Name::substitute(name, at, *Name::parse(dname.front()));
                if (!to) {
                    out_.rcode = "YXDOMAIN";
                    return std::nullopt;
                }
                add(out_.answer, name, 3600, RrType::CNAME, to->to_text());
                return to;
            }
            if (!zone_.exists(at)) {
                break;
            }
            encloser = at;
        }
        const Name star = *Name::parse("*." + encloser.to_text());
        if (encloser != name && !zone_.exists(star)) {
            out_.rcode = "NXDOMAIN";
            negative();
            return std::nullopt;
        }
        return at_source(name, encloser == name ? name : star, qtype);
    }

    std::optional<Name> at_source(const Name& name, const Name& source, RrType qtype) {
        const bool address = qtype == RrType::A || qtype == RrType::AAAA ||
                             (qtype == RrType::ANY && !zone_.records.contains(source));
        const bool steered = zone_.steered.contains(source);
        if (steered) {
            const Ask ask = !address ? Ask::Other : qtype == RrType::AAAA ? Ask::Aaaa : Ask::A;
            Decision decision = decide_at(source, ask);
            const bool positive =
                decision.kind == DecisionKind::Addresses || decision.kind == DecisionKind::Cname;
            if (qtype == RrType::ANY && address && !positive && !decision.fail_open) {
                decision = decide_at(source, Ask::Aaaa);
            }
            if (decision.kind != DecisionKind::NotCname) {
                return routed(name, decision);
            }
        }
        if (qtype == RrType::ANY && zone_.records.contains(source)) {
            add_all(out_.answer, name, source, zone_.records.at(source).front().type);
            return std::nullopt;
        }
        if (!zone_.at(source, qtype).empty()) {
            add_all(out_.answer, name, source, qtype);
            return std::nullopt;
        }
        if (const auto cname = zone_.at(source, RrType::CNAME); !cname.empty()) {
            add_all(out_.answer, name, source, RrType::CNAME);
            return *Name::parse(cname.front());
        }
        negative();
        return std::nullopt;
    }

    Decision decide_at(const Name& source, Ask ask) {
        const Plan& plan = *snapshot_.plan;
        const auto found = std::find_if(plan.steered.begin(), plan.steered.end(),
                                        [&](const SteeredName& s) { return s.owner == source; });
        const std::uint32_t view = plan.trees[config::index(found->tree)].view;
        Client client;
        scope_ = 0;
        if (view != kNone) {
            const ClassHit hit = plan.views[view]->lookup_given(client_);
            client = {hit.id, hash_key(client_)};
            scope_ = hit.scope;
        }
        return decide({.plan = plan,
                       .health = *snapshot_.health,
                       .steered = static_cast<SteeredId>(found - plan.steered.begin()),
                       .client = client,
                       .ask = ask,
                       .draw = draw_});
    }

    std::optional<Name> routed(const Name& name, const Decision& decision) {
        const Plan& plan = *snapshot_.plan;
        if (decision.kind == DecisionKind::NoData) {
            negative(decision.fail_open ? decision.ttl_s : 300);
            return std::nullopt;
        }
        if (decision.kind == DecisionKind::ServFail) {
            out_.rcode = "SERVFAIL";
            out_.authoritative = false;
            return std::nullopt;
        }
        out_.scope = std::max(out_.scope, scope_);
        if (decision.kind == DecisionKind::Cname) {
            const Name& to = plan.endpoints[config::index(decision.endpoints[0])].target;
            add(out_.answer, name, decision.ttl_s, RrType::CNAME, to.to_text());
            return to;
        }
        for (std::size_t i = 0; i < decision.slot_count; ++i) {
            const auto& address = plan.slots[config::index(decision.slots[i])].address;
            add(out_.answer, name, decision.ttl_s, address.is_v4() ? RrType::A : RrType::AAAA,
                address.text());
        }
        return std::nullopt;
    }

    const NaiveZone& zone_;
    const Snapshot& snapshot_;
    std::uint64_t draw_;
    base::IpPrefix client_;
    Name apex_ = *Name::parse("example.com.");
    Expected out_;
    std::set<Name> dnames_;
    unsigned scope_ = 0;
};

}  // namespace

std::vector<std::string> NaiveZone::at(const Name& owner, RrType type) const {
    std::vector<std::string> out;
    const auto found = records.find(owner);
    for (std::size_t i = 0; found != records.end() && i < found->second.size(); ++i) {
        if (found->second[i].type == type) {
            out.push_back(found->second[i].rdata);
        }
    }
    return out;
}

bool NaiveZone::exists(const Name& name) const {
    const auto below = [&](const auto& entry) { return entry.first.view().is_at_or_below(name); };
    return std::any_of(records.begin(), records.end(), below) ||
           std::any_of(steered.begin(), steered.end(), below);
}

std::string NaiveZone::zone_text() const {
    std::string out;
    for (const auto& [owner, lines] : records) {
        for (const Line& line : lines) {
            out += owner.to_text() + " " + dns::to_text(line.type) + " " + line.rdata + "\n";
        }
    }
    return out;
}

std::string NaiveZone::config() const {
    std::string out = kAnswerConfig.substr(0, kAnswerConfig.find("[zones.")) +
                      "[zones.\"example.com\"]\nfile = \"z\"\n[zones.\"example.com\".steer]\n";
    for (const auto& [owner, steer] : steered) {
        out += "\"" + owner.to_text() + "\" = { route = \"" + steer.route + "\", ttl = \"" +
               std::to_string(steer.ttl_s) + "s\", when_all_down = \"" + steer.all_down + "\" }\n";
    }
    return out;
}

std::string lower(std::string text) {
    std::transform(text.begin(), text.end(), text.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

Expected naive_answer(const NaiveZone& zone, const Snapshot& snapshot,
                      const NaiveQuestion& question) {
    return Reference(zone, snapshot, question.draw, question.client)
        .ask(question.qname, question.qtype);
}

}  // namespace steerd::policy::testing
