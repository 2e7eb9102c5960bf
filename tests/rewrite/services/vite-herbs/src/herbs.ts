export interface Herb {
  name: string;
  fits: string[];
}

export function fitting(herbs: Herb[], dish: string): Herb[] {
  const word = dish.trim().toLowerCase();
  return word ? herbs.filter((herb) => herb.fits.some((fit) => fit.startsWith(word))) : herbs;
}
