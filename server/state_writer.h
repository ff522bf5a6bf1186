// Writes small state files atomically on a thread of its own: temporary file, fsync, rename, fsync
// of the folder, so that a crash at any instant leaves the old or the new one whole. Only the
// newest text for a file counts; older ones that were not written yet are dropped. Thread rule:
// write() from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace steerd::server {

/// nullopt, or why the file could not be written (its old content is then untouched).
[[nodiscard]] std::optional<std::string> write_atomically(const std::filesystem::path& file,
                                                          std::string_view text);

class StateWriter {
  public:
    /// Which version was written, or why it could not be (the file then holds an older one).
    using Done = std::function<void(std::uint64_t version, const std::optional<std::string>& why)>;

    /// `done` is called on the writer's thread, after each write.
    StateWriter(std::filesystem::path file, Done done);
    StateWriter(const StateWriter&) = delete;
    StateWriter& operator=(const StateWriter&) = delete;
    /// Writes what is still waiting.
    ~StateWriter();

    /// `text` is made on the writer's thread, so that the caller is not held up by it.
    void write(std::uint64_t version, std::function<std::string()> text);

  private:
    void run();

    std::filesystem::path file_;
    Done done_;
    std::mutex mutex_;
    std::condition_variable wake_;

    struct Waiting {
        std::uint64_t version = 0;
        std::function<std::string()> text;
    };

    std::optional<Waiting> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace steerd::server
