// The native protocol of systemd's journal (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram for
// an entry, so that what a line says stands in fields that can be searched (journalctl
// STEERD_ENDPOINT=tokyo). Why not libsystemd: it would be linked for one sendto().
// Thread rule: any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace steerd::server {

struct LogField {
    std::string_view key;  // "ENDPOINT"; STEERD_ is put before it
    std::string_view value;
};

/// An entry as it is sent.
[[nodiscard]] std::string journal_entry(int priority, std::string_view message,
                                        std::span<const LogField> fields);

/// Whether standard error is the journal's stream, as JOURNAL_STREAM ("device:inode") says.
[[nodiscard]] bool stderr_is_journal() noexcept;

/// False where no journal listens at `socket`.
[[nodiscard]] bool send_to_journal(const char* socket, std::string_view entry) noexcept;

}  // namespace steerd::server
