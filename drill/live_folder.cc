#include "drill/live_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace steerd::drill {

namespace {

constexpr std::string_view kPrefix = "steerd-drill-";
constexpr std::string_view kPattern = "XXXXXX";
constexpr const char* kLock = "drill.lock";
constexpr const char* kNewLock = "drill.lock.new";
constexpr std::size_t kMostLooked = 10'000;  // entries of the directory for temporary files

/// Locked before it has its name, so that nobody finds it unlocked while its drill lives.
LiveFd locked_file(const std::filesystem::path& folder) {
    const auto made = folder / kNewLock;
    LiveFd fd(::open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 ||
        ::rename(made.c_str(), (folder / kLock).c_str()) != 0) {
        return {};
    }
    return fd;
}

/// A directory of ours, not a link to one, whose drill is no more.
bool left_behind(const std::filesystem::path& folder) {
    const std::string name = folder.filename().string();
    if (!name.starts_with(kPrefix) || name.size() != kPrefix.size() + kPattern.size()) {
        return false;
    }
    const LiveFd at(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));

    struct stat facts {};

    if (!at || ::fstat(at.get(), &facts) != 0 || facts.st_uid != ::geteuid()) {
        return false;
    }
    const LiveFd lock(::openat(at.get(), kLock, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
    return lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) == 0;
}

}  // namespace

std::size_t remove_left_folders(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> left;
    std::error_code error;
    std::filesystem::directory_iterator entry(folder, error);
    for (std::size_t looked = 0;
         !error && entry != std::filesystem::directory_iterator() && looked < kMostLooked;
         entry.increment(error), ++looked) {
        if (left_behind(entry->path())) {
            left.push_back(entry->path());
        }
    }
    std::size_t removed = 0;
    for (const auto& path : left) {
        removed += std::filesystem::remove_all(path, error) > 0 && !error ? 1 : 0;
    }
    return removed;
}

LiveFolder::LiveFolder() {
    std::error_code error;
    const auto parent = std::filesystem::temp_directory_path(error);
    if (error) {
        errno = error.value();
        return;
    }
    remove_left_folders(parent);
    std::string path = parent / std::string(kPrefix).append(kPattern);
    if (::mkdtemp(path.data()) == nullptr) {
        return;
    }
    lock_ = locked_file(path);
    if (!lock_) {
        const int why = errno;
        std::filesystem::remove_all(path, error);
        errno = why;
        return;
    }
    path_ = path;
}

LiveFolder::~LiveFolder() {
    if (!path_.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
}

}  // namespace steerd::drill
