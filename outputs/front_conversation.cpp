#include <array>
#include <sys/socket.h>
#include <unistd.h>

#include "outputs/front_loop.h"

namespace ectoscope {
namespace {

constexpr size_t kReadBytes = size_t{16} * 1024;
constexpr std::string_view kPlainOnTls =
    "HTTP/1.0 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
    "\r\nThis port speaks HTTPS: write https:// in the address.\n";

}  // namespace

void HttpFront::Loop::advance(uint64_t id) {
  Connection& client = connections_.at(id);
  switch (client.phase) {
    case Phase::kGreeting:
      return greet(id, client);
    case Phase::kReading:
      return receive(id, client);
    case Phase::kAnswering:
      return drop(id);  // nothing is watched: the client has gone
    case Phase::kWriting:
      return send_on(id, client);
    case Phase::kLeaving:
      return see_off(id, client);
  }
}

void HttpFront::Loop::greet(uint64_t id, Connection& client) {
  switch (client.channel->greet()) {
    case Channel::State::kDone:
      // The time for the greeting counts against the first request.
      client.phase = Phase::kReading;
      want(id, client, EPOLLIN);
      return receive(id, client);
    case Channel::State::kWantRead:
      return want(id, client, EPOLLIN);
    case Channel::State::kWantWrite:
      return want(id, client, EPOLLOUT);
    case Channel::State::kPlainOnTls:
      hooks_.cut("tls");
      if (const UniqueFd bare(dup(client.channel->fd())); bare.get() >= 0) {
        [[maybe_unused]] const ssize_t put =
            send(bare.get(), kPlainOnTls.data(), kPlainOnTls.size(), MSG_NOSIGNAL);
        shutdown(bare.get(), SHUT_WR);
      }
      return drop(id);
    case Channel::State::kClosed:
      hooks_.cut("tls");
      return drop(id);
  }
}

void HttpFront::Loop::receive(uint64_t id, Connection& client) {
  std::array<char, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  while (true) {
    const Channel::Moved got = client.channel->read(buffer.data(), buffer.size());
    if (got.state == Channel::State::kClosed) return drop(id);
    if (got.state == Channel::State::kWantWrite) return want(id, client, EPOLLOUT);
    if (got.state != Channel::State::kDone) return want(id, client, EPOLLIN);
    if (client.in.empty()) enter(client, Phase::kReading, limits_.request_time);
    client.in.append(buffer.data(), got.bytes);
    if (look_for_request(id, client)) return;
  }
}

bool HttpFront::Loop::look_for_request(uint64_t id, Connection& client) {
  if (client.in.empty()) return false;
  const RequestFrame frame = frame_request(client.in, limits_.request);
  if (frame.state == RequestFrame::State::kIncomplete) return false;
  if (frame.state == RequestFrame::State::kRefused) {
    hooks_.cut("refused");
    say_goodbye(id, client, hooks_.refusal(frame.status));
    return true;
  }
  auto request = std::make_shared<WholeRequest>();
  request->bytes = client.in.substr(frame.skipped, frame.head_size + frame.body_size);
  request->head_size = frame.head_size;
  request->remote_address = client.remote_address;
  request->authorization = frame.authorization;
  hooks_.admit(*request, frame.path);
  client.in.erase(0, frame.size());
  client.phase = Phase::kAnswering;
  want(id, client, 0);  // hang-ups are told all the same
  hand_over(id, request);
  return true;
}

void HttpFront::Loop::hand_over(uint64_t id, const std::shared_ptr<WholeRequest>& request) {
  lanes_.add(
      [this, id, request] {
        WholeAnswer answer = hooks_.answer(*request);
        {
          const std::lock_guard lock(answering_);
          answers_.emplace_back(id, std::move(answer));
        }
        wake();
      },
      request->lane);
}

void HttpFront::Loop::take_answers() {
  std::vector<std::pair<uint64_t, WholeAnswer>> answers;
  {
    const std::lock_guard lock(answering_);
    answers.swap(answers_);
  }
  for (auto& [id, answer] : answers) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) continue;
    begin_answer(id, found->second, std::move(answer));
  }
}

void HttpFront::Loop::begin_answer(uint64_t id, Connection& client, WholeAnswer answer) {
  client.close_after = answer.close;
  client.out = std::move(answer.bytes);
  client.sent = 0;
  unsent_ += client.out.size();
  enter(client, Phase::kWriting, limits_.answer_time);
  send_on(id, client);
  while (unsent_ > limits_.unsent_bytes && cut_oldest("unsent_bytes", true)) {
  }
}

void HttpFront::Loop::say_goodbye(uint64_t id, Connection& client, std::string text) {
  client.in.clear();
  begin_answer(id, client, {std::move(text), true});
}

void HttpFront::Loop::send_on(uint64_t id, Connection& client) {
  while (client.sent < client.out.size()) {
    const Channel::Moved put =
        client.channel->write(std::string_view(client.out).substr(client.sent));
    if (put.state == Channel::State::kWantRead) return want(id, client, EPOLLIN);
    if (put.state == Channel::State::kWantWrite) return want(id, client, EPOLLOUT);
    if (put.state != Channel::State::kDone) return drop(id);
    client.sent += put.bytes;
  }
  unsent_ -= client.out.size();
  client.out = {};
  if (client.close_after || stopping_) {
    // What the client still sends is read and forgotten for a moment: closing now would reset
    // the connection and take the answer away from it.
    client.channel->finish();
    enter(client, Phase::kLeaving, limits_.farewell_time);
    want(id, client, EPOLLIN);
    return see_off(id, client);
  }
  enter(client, Phase::kReading, client.in.empty() ? limits_.idle_time : limits_.request_time);
  want(id, client, EPOLLIN);
  if (!look_for_request(id, client)) receive(id, client);
}

void HttpFront::Loop::see_off(uint64_t id, Connection& client) {
  std::array<char, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  for (int reads = 0; reads < 16; ++reads) {
    const Channel::Moved got = client.channel->read(buffer.data(), buffer.size());
    if (got.state == Channel::State::kClosed) return drop(id);
    if (got.state != Channel::State::kDone) return;
  }
}

}  // namespace ectoscope
