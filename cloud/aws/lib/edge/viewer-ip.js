// A CloudFront Function. A client cannot forge the header: what it sends is overwritten. Nginx limits by this IP
// (containers/gateway/real-ip.conf.template).
// biome-ignore lint/correctness/noUnusedVariables: CloudFront calls it
function handler(event) {
  event.request.headers['true-client-ip'] = { value: event.viewer.ip };
  return event.request;
}
