#include "server/resolving.h"

#include <utility>

namespace steerd::server {

namespace {

control::Resolution to_resolution(probers::ResolveOutcome outcome) {
    switch (outcome) {
        case probers::ResolveOutcome::Addresses:
            return control::Resolution::Addresses;
        case probers::ResolveOutcome::NxDomain:
            return control::Resolution::NxDomain;
        case probers::ResolveOutcome::NoData:
            return control::Resolution::NoData;
        case probers::ResolveOutcome::NoAnswer:
            return control::Resolution::NoAnswer;
    }
    return control::Resolution::NoAnswer;
}

}  // namespace

// The id carries the target and its run, so that no table is needed to find them again.
probers::ResolveRequest to_request(const control::ResolveTarget& target,
                                   const std::optional<base::SocketAddress>& server) {
    const auto id = static_cast<std::uint64_t>(target.target) << 32 | (target.run & 0xFFFFFFFFU);
    return {id, target.name.to_text(), server ? server->text() : ""};
}

control::ResolveDone to_input(probers::ResolveDone done) {
    return {static_cast<control::TargetId>(done.id >> 32),
            done.id & 0xFFFFFFFFU,
            to_resolution(done.outcome),
            std::move(done.addresses),
            done.ttl_s,
            std::move(done.reason)};
}

}  // namespace steerd::server
