#include "health/probers/resolver.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "base/text.h"
#include "dns/wire.h"

namespace steerd::probers {

namespace {

constexpr base::Duration kDeadline = std::chrono::seconds(2);
constexpr unsigned kTries = 2;
constexpr unsigned kMaxCnames = 16;
constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint32_t kNegativeTtl = 30;  // without an SOA that says better
constexpr std::size_t kSoaNumbers = 20;     // the fixed part at the end of an SOA's rdata
constexpr std::size_t kMaxResolvConf = 64 * 1024;

std::size_t slot(dns::RrType type) { return type == dns::RrType::A ? 0 : 1; }

/// RFC 2308 §5: the lesser of the SOA's TTL and its minimum.
std::uint32_t negative_ttl(const dns::Message& message) {
    for (const dns::Record& record : message.records) {
        if (record.section == dns::Section::Authority && record.type == dns::RrType::SOA &&
            record.rdata.size() >= kSoaNumbers) {
            dns::WireReader minimum(record.rdata, record.rdata.size() - 4);
            return std::min(record.ttl.seconds(), dns::Ttl(minimum.u32()).seconds());
        }
    }
    return kNegativeTtl;
}

/// Where the CNAMEs of the answer lead from `name`, and the least TTL on the way.
std::pair<dns::Name, std::uint32_t> follow_cnames(const dns::Message& message, dns::Name name) {
    std::uint32_t ttl_s = dns::Ttl::kMax;
    for (unsigned step = 0; step < kMaxCnames; ++step) {
        const auto next = std::find_if(
            message.records.begin(), message.records.end(), [&name](const dns::Record& record) {
                return record.section == dns::Section::Answer &&
                       record.type == dns::RrType::CNAME && record.owner == name;
            });
        const auto target =
            next == message.records.end() ? std::nullopt : dns::NameView::parse_wire(next->rdata);
        if (!target) {
            break;
        }
        ttl_s = std::min(ttl_s, next->ttl.seconds());
        name = dns::Name(*target);
    }
    return {name, ttl_s};
}

std::string system_resolv_conf() {
    std::ifstream file("/etc/resolv.conf");
    std::string text(kMaxResolvConf, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    return text;
}

std::optional<base::SocketAddress> parse_server(const std::string& server) {
    if (server.empty()) {
        return first_nameserver(system_resolv_conf());
    }
    if (const auto with_port = base::SocketAddress::parse(server)) {
        return with_port;
    }
    const auto address = base::IpAddress::parse(server);
    return address ? std::optional(base::SocketAddress{*address, kDnsPort}) : std::nullopt;
}

}  // namespace

FamilyAnswer read_answer(const dns::Message& message, const dns::Name& name, dns::RrType type) {
    if (message.rcode == dns::Rcode::NxDomain) {
        return {ResolveOutcome::NxDomain, {}, negative_ttl(message), {}};
    }
    if (message.rcode != dns::Rcode::NoError) {
        return {ResolveOutcome::NoAnswer,
                {},
                0,
                "dns " + base::ascii_lower(dns::to_text(message.rcode))};
    }
    FamilyAnswer answer{ResolveOutcome::Addresses, {}, 0, {}};
    dns::Name owner;
    std::tie(owner, answer.ttl_s) = follow_cnames(message, name);
    const auto family = type == dns::RrType::A ? base::IpFamily::V4 : base::IpFamily::V6;
    for (const dns::Record& record : message.records) {
        if (record.section == dns::Section::Answer && record.type == type &&
            record.owner == owner && record.rdata.size() * 8 == base::bits_of(family)) {
            answer.addresses.push_back(base::IpAddress::from_octets(family, record.rdata));
            answer.ttl_s = std::min(answer.ttl_s, record.ttl.seconds());
        }
    }
    if (answer.addresses.empty()) {
        return {ResolveOutcome::NoData, {}, negative_ttl(message), {}};
    }
    return answer;
}

ResolveDone combine(const FamilyAnswer& a, const FamilyAnswer& aaaa) {
    ResolveDone done;
    const auto either = [&](ResolveOutcome outcome) {
        return a.outcome == outcome || aaaa.outcome == outcome;
    };
    for (const FamilyAnswer* answer : {&a, &aaaa}) {
        done.addresses.insert(done.addresses.end(), answer->addresses.begin(),
                              answer->addresses.end());
    }
    std::sort(done.addresses.begin(), done.addresses.end());
    done.addresses.erase(std::unique(done.addresses.begin(), done.addresses.end()),
                         done.addresses.end());
    const bool a_silent = a.outcome == ResolveOutcome::NoAnswer;
    const bool aaaa_silent = aaaa.outcome == ResolveOutcome::NoAnswer;
    if (!done.addresses.empty()) {
        done.outcome = ResolveOutcome::Addresses;
        if (a_silent || aaaa_silent) {
            done.unanswered = a_silent ? base::IpFamily::V4 : base::IpFamily::V6;
        }
    } else if (either(ResolveOutcome::NxDomain)) {
        done.outcome = ResolveOutcome::NxDomain;
    } else if (a_silent || aaaa_silent) {
        done.outcome = ResolveOutcome::NoAnswer;
        done.reason = a_silent ? a.reason : aaaa.reason;
        return done;
    } else {
        done.outcome = ResolveOutcome::NoData;
    }
    done.ttl_s =
        std::min(a_silent ? dns::Ttl::kMax : a.ttl_s, aaaa_silent ? dns::Ttl::kMax : aaaa.ttl_s);
    return done;
}

base::SocketAddress first_nameserver(std::string_view resolv_conf) {
    constexpr std::string_view kKeyword = "nameserver";
    constexpr std::string_view kBlank = " \t\r";
    while (!resolv_conf.empty()) {
        const std::size_t end = std::min(resolv_conf.find('\n'), resolv_conf.size());
        std::string_view line = resolv_conf.substr(0, end);
        resolv_conf.remove_prefix(std::min(end + 1, resolv_conf.size()));
        if (line.substr(0, kKeyword.size()) != kKeyword) {
            continue;
        }
        line.remove_prefix(kKeyword.size());
        const std::size_t begin = line.find_first_not_of(kBlank);
        if (begin == std::string_view::npos || begin == 0) {
            continue;
        }
        line.remove_prefix(begin);
        line = line.substr(0, line.find_first_of(kBlank));
        if (const auto address = base::IpAddress::parse(line)) {
            return {*address, kDnsPort};
        }
    }
    return {base::IpAddress::v4(0x7F000001), kDnsPort};
}

Resolution::Resolution(uv_loop_t* loop, base::Rng& rng, ResolveRequest request, Done done)
    : loop_(loop),
      rng_(rng),
      request_(std::move(request)),
      done_(std::move(done)),
      deadline_(loop, [this] {
          for (const dns::RrType type : {dns::RrType::A, dns::RrType::AAAA}) {
              take(type, {ResolveOutcome::NoAnswer, {}, 0, "timeout after 2s"});
          }
      }) {}

void Resolution::begin() {
    const auto name = dns::Name::parse(request_.name);
    const auto server = parse_server(request_.server);
    if (!name || !server) {
        ResolveDone done;
        done.reason = printable(!name ? "bad name: " + name.error()
                                      : "bad resolver address: " + request_.server);
        finish(std::move(done));
        return;
    }
    deadline_.start(kDeadline);
    ask(dns::RrType::A, *name, *server);
    ask(dns::RrType::AAAA, *name, *server);
}

void Resolution::ask(dns::RrType type, const dns::Name& name, const base::SocketAddress& server) {
    const DnsAsk ask{server, name, type, kTries, kDeadline / kTries, true};
    exchanges_[slot(type)] =
        std::make_unique<DnsExchange>(loop_, rng_, ask, [this, type, name](DnsReply reply) {
            take(type, reply.message
                           ? read_answer(*reply.message, name, type)
                           : FamilyAnswer{
                                 ResolveOutcome::NoAnswer, {}, 0, std::move(reply.failure.reason)});
        });
    exchanges_[slot(type)]->begin();
}

void Resolution::take(dns::RrType type, FamilyAnswer answer) {
    auto& place = answers_[slot(type)];
    if (!place) {
        place = std::move(answer);
    }
    if (answers_[0] && answers_[1]) {
        finish(combine(*answers_[0], *answers_[1]));
    }
}

void Resolution::finish(ResolveDone done) {
    if (finished_) {
        return;
    }
    finished_ = true;
    deadline_.stop();
    done.id = request_.id;
    done_(std::move(done));
}

}  // namespace steerd::probers
