// Where the proxy is, as seen from the page.

/**
 * Returns the absolute URL of a path beside the page. The page's own URL may hold credentials
 * (https://user:password@host/): fetch refuses a URL with them, and they are not to be shown.
 */
export function beside(path) {
  const url = new URL(path, document.baseURI);
  url.username = '';
  url.password = '';
  return url.href;
}
